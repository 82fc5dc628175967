#include "real_functions.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "startup_arena.h"

namespace lastref {
namespace {

// First calls: they run the look-up, then what they stand for. While this thread is inside the
// look-up already (dlsym allocates) the startup arena serves it.
thread_local bool looking_up __attribute__((tls_model("initial-exec")));

void* first_malloc(size_t size) {
    if (looking_up) return startup_arena::allocate(size);
    find_real_functions();
    return real.malloc(size);
}
void* first_calloc(size_t count, size_t size) {
    if (looking_up) {
        size_t bytes;
        if (__builtin_mul_overflow(count, size, &bytes)) return nullptr;
        return startup_arena::allocate(bytes);
    }
    find_real_functions();
    return real.calloc(count, size);
}
void* first_realloc(void* block, size_t size) {
    if (looking_up) {
        void* moved = startup_arena::allocate(size);
        if (moved && block) {
            const size_t held = startup_arena::size_from(block);
            memcpy(moved, block, size < held ? size : held);
        }
        return moved;
    }
    find_real_functions();
    return real.realloc(block, size);
}
void first_free(void* block) {
    if (looking_up || startup_arena::owns(block)) return;
    find_real_functions();
    real.free(block);
}

// What thunks.S lists.
struct ThunkSlot {
    const char* name;
    void** real;
};
extern "C" const ThunkSlot __start_lastref_thunks[] __attribute__((visibility("hidden")));
extern "C" const ThunkSlot __stop_lastref_thunks[] __attribute__((visibility("hidden")));

const void* module_of(const void* function) {
    Dl_info info;
    return function && dladdr(function, &info) ? info.dli_fbase : nullptr;
}

template <typename Function>
void find(Function& function, const char* name) {
    if (void* found = dlsym(RTLD_NEXT, name)) function = reinterpret_cast<Function>(found);
}

}  // namespace

RealFunctions real = {
    .malloc = first_malloc,
    .calloc = first_calloc,
    .realloc = first_realloc,
    .free = first_free,
};

OperatorForm operator_forms[kOperatorForms] = {
    {"_Znwm", nullptr, false},
    {"_Znam", nullptr, false},
    {"_ZnwmRKSt9nothrow_t", nullptr, false},
    {"_ZnamRKSt9nothrow_t", nullptr, false},
    {"_ZnwmSt11align_val_t", nullptr, false},
    {"_ZnamSt11align_val_t", nullptr, false},
    {"_ZnwmSt11align_val_tRKSt9nothrow_t", nullptr, false},
    {"_ZnamSt11align_val_tRKSt9nothrow_t", nullptr, false},
    {"_ZdlPv", nullptr, false},
    {"_ZdaPv", nullptr, false},
    {"_ZdlPvm", nullptr, false},
    {"_ZdaPvm", nullptr, false},
    {"_ZdlPvRKSt9nothrow_t", nullptr, false},
    {"_ZdaPvRKSt9nothrow_t", nullptr, false},
    {"_ZdlPvSt11align_val_t", nullptr, false},
    {"_ZdaPvSt11align_val_t", nullptr, false},
    {"_ZdlPvmSt11align_val_t", nullptr, false},
    {"_ZdaPvmSt11align_val_t", nullptr, false},
    {"_ZdlPvSt11align_val_tRKSt9nothrow_t", nullptr, false},
    {"_ZdaPvSt11align_val_tRKSt9nothrow_t", nullptr, false},
};

void find_real_functions() {
    if (looking_up || real.malloc != first_malloc) return;
    looking_up = true;
    RealFunctions found = {};
    find(found.malloc, "malloc");
    find(found.calloc, "calloc");
    find(found.realloc, "realloc");
    find(found.free, "free");
    find(found.posix_memalign, "posix_memalign");
    find(found.aligned_alloc, "aligned_alloc");
    find(found.memalign, "memalign");
    find(found.valloc, "valloc");
    find(found.pvalloc, "pvalloc");
    find(found.free_sized, "free_sized");
    find(found.free_aligned_sized, "free_aligned_sized");
    find(found.malloc_usable_size, "malloc_usable_size");
    find(found.mmap, "mmap");
    find(found.mmap64, "mmap64");
    find(found.munmap, "munmap");
    find(found.mremap, "mremap");
    find(found.brk, "brk");
    find(found.sbrk, "sbrk");
    find(found.fork, "fork");
    find(found.posix_spawn, "posix_spawn");
    find(found.posix_spawnp, "posix_spawnp");
    find(found.dlclose, "dlclose");
    find(found.prctl, "prctl");
    for (const ThunkSlot* slot = __start_lastref_thunks; slot != __stop_lastref_thunks; slot++) {
        find(*slot->real, slot->name);
    }
    const void* allocator = module_of(reinterpret_cast<const void*>(found.malloc));
    for (OperatorForm& form : operator_forms) {
        find(form.next, form.name);
        form.by_allocator = form.next && module_of(form.next) == allocator;
    }
    // What was not found is no error that the program should see. A look-up that succeeds clears
    // it; dlerror() would translate it first, which takes locale locks at a time when that is
    // unsafe.
    find(found.malloc, "malloc");
    real = found;
    looking_up = false;
}

}  // namespace lastref
