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

void find_real_functions() {
    if (looking_up) return;
    looking_up = true;
    RealFunctions found = {};
    find(found.malloc, "malloc");
    find(found.calloc, "calloc");
    find(found.realloc, "realloc");
    find(found.free, "free");
    find(found.reallocarray, "reallocarray");
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
    dlerror();  // what was not found is no error that the program should see
    real = found;
    looking_up = false;
}

void* find_next(const char* name) {
    const bool outer = looking_up;
    if (real.malloc == first_malloc) looking_up = true;
    void* found = dlsym(RTLD_NEXT, name);
    if (!found) dlerror();
    looking_up = outer;
    return found;
}

}  // namespace lastref
