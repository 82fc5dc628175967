#include "real_functions.h"

#include <errno.h>

#include "libc_functions.h"
#include "raw_syscall.h"
#include "symbol_lookup.h"

namespace lastref {
namespace {

// First calls: they run the look-up, then what they stand for.
void* first_malloc(size_t size) {
    find_real_functions();
    return next_heap.malloc(size);
}
void* first_calloc(size_t count, size_t size) {
    find_real_functions();
    return next_heap.calloc(count, size);
}
void* first_realloc(void* block, size_t size) {
    find_real_functions();
    return next_heap.realloc(block, size);
}
void first_free(void* block) {
    find_real_functions();
    next_heap.free(block);
}

// Where no module defines the function: as if there were no memory, or no such system call.
void* no_malloc(size_t) {
    errno = ENOMEM;
    return nullptr;
}
void* no_calloc(size_t, size_t) {
    return no_malloc(0);
}
void* no_realloc(void*, size_t) {
    return no_malloc(0);
}
void no_free(void*) {}

long checked(long result) {
    if (!raw::failed(result)) return result;
    errno = static_cast<int>(-result);
    return -1;
}
void* raw_mmap(void* address, size_t size, int protection, int flags, int fd, off_t offset) {
    return reinterpret_cast<void*>(
        checked(raw::call(SYS_mmap, reinterpret_cast<long>(address), static_cast<long>(size),
                          protection, flags, fd, offset)));
}
int raw_munmap(void* address, size_t size) {
    return static_cast<int>(
        checked(raw::call(SYS_munmap, reinterpret_cast<long>(address), static_cast<long>(size))));
}
void* raw_mremap(void* address, size_t old_size, size_t size, int flags, ...) {
    // A fixed address is in the next register whether or not it was passed.
    __builtin_va_list arguments;
    __builtin_va_start(arguments, flags);
    void* fixed = __builtin_va_arg(arguments, void*);
    __builtin_va_end(arguments);
    return reinterpret_cast<void*>(
        checked(raw::call(SYS_mremap, reinterpret_cast<long>(address), static_cast<long>(old_size),
                          static_cast<long>(size), flags, reinterpret_cast<long>(fixed))));
}
long no_function() {
    return checked(-ENOSYS);
}

// What thunks.S lists.
struct ThunkSlot {
    const char* name;
    void** real;
};
extern "C" const ThunkSlot __start_lastref_thunks[] __attribute__((visibility("hidden")));
extern "C" const ThunkSlot __stop_lastref_thunks[] __attribute__((visibility("hidden")));

// Behind us.
template <typename Function>
const link_map* find_next(Function& function, const char* name) {
    const link_map* own = own_module();
    const Definition found = find_definition(name, own ? own->l_next : first_module());
    if (found.address != 0) function = reinterpret_cast<Function>(found.address);
    return found.module;
}

// In front of us.
template <typename Function>
const link_map* find_in_front(Function& function, const char* name) {
    const Definition found = find_definition(name, first_module(), own_module());
    if (found.address != 0) function = reinterpret_cast<Function>(found.address);
    return found.module;
}

template <typename Function, typename Refusal>
void find_or(Function& function, const char* name, Refusal refusal) {
    function = reinterpret_cast<Function>(reinterpret_cast<void*>(refusal));
    find_next(function, name);
}

// All C functions of an allocator, by `find`; the module that malloc is of.
template <typename Find>
const link_map* find_heap(HeapFunctions& heap, Find find) {
    const link_map* allocator = find(heap.malloc, "malloc");
    find(heap.calloc, "calloc");
    find(heap.realloc, "realloc");
    find(heap.free, "free");
    const link_map* array_module = find(heap.reallocarray, "reallocarray");
    heap.own_reallocarray = array_module == allocator && allocator != libc_module();
    find(heap.posix_memalign, "posix_memalign");
    find(heap.aligned_alloc, "aligned_alloc");
    find(heap.memalign, "memalign");
    find(heap.valloc, "valloc");
    find(heap.pvalloc, "pvalloc");
    find(heap.cfree, "cfree");
    find(heap.free_sized, "free_sized");
    find(heap.free_aligned_sized, "free_aligned_sized");
    find(heap.malloc_usable_size, "malloc_usable_size");
    return allocator;
}

void find_libc_heap(HeapFunctions& heap) {
    heap = next_heap;
    find_next(heap.malloc, "__libc_malloc");
    find_next(heap.calloc, "__libc_calloc");
    find_next(heap.realloc, "__libc_realloc");
    find_next(heap.free, "__libc_free");
    find_next(heap.memalign, "__libc_memalign");
    find_next(heap.valloc, "__libc_valloc");
    find_next(heap.pvalloc, "__libc_pvalloc");
}

}  // namespace

HeapFunctions next_heap = {
    .malloc = first_malloc,
    .calloc = first_calloc,
    .realloc = first_realloc,
    .free = first_free,
};
HeapFunctions front_entries;
HeapFunctions front_heap;
HeapFunctions libc_heap;
RealFunctions real;
SegmentSpan next_allocator;
bool real_functions_found;

const char* const operator_names[kOperatorForms] = {
    "_Znwm",
    "_Znam",
    "_ZnwmRKSt9nothrow_t",
    "_ZnamRKSt9nothrow_t",
    "_ZnwmSt11align_val_t",
    "_ZnamSt11align_val_t",
    "_ZnwmSt11align_val_tRKSt9nothrow_t",
    "_ZnamSt11align_val_tRKSt9nothrow_t",
    "_ZdlPv",
    "_ZdaPv",
    "_ZdlPvm",
    "_ZdaPvm",
    "_ZdlPvRKSt9nothrow_t",
    "_ZdaPvRKSt9nothrow_t",
    "_ZdlPvSt11align_val_t",
    "_ZdaPvSt11align_val_t",
    "_ZdlPvmSt11align_val_t",
    "_ZdaPvmSt11align_val_t",
    "_ZdlPvSt11align_val_tRKSt9nothrow_t",
    "_ZdaPvSt11align_val_tRKSt9nothrow_t",
};
OperatorForm next_operators[kOperatorForms];
OperatorForm front_operators[kOperatorForms];

void find_real_functions() {
    if (real_functions_found) return;
    find_or(real.mmap, "mmap", raw_mmap);
    find_or(real.mmap64, "mmap64", raw_mmap);
    find_or(real.munmap, "munmap", raw_munmap);
    find_or(real.mremap, "mremap", raw_mremap);
    find_or(real.brk, "brk", no_function);
    find_or(real.sbrk, "sbrk", no_function);
    find_or(real.fork, "fork", no_function);
    find_or(real.posix_spawn, "posix_spawn", no_function);
    find_or(real.posix_spawnp, "posix_spawnp", no_function);
    find_or(real.dlclose, "dlclose", no_function);
    find_or(real.prctl, "prctl", no_function);
    for (const ThunkSlot* slot = __start_lastref_thunks; slot != __stop_lastref_thunks; slot++) {
        find_or(*slot->real, slot->name, no_function);
    }
    find_libc_functions();
    HeapFunctions heap = {};
    heap.malloc = no_malloc;
    heap.calloc = no_calloc;
    heap.realloc = no_realloc;
    heap.free = no_free;
    const link_map* allocator =
        find_heap(heap, [](auto& function, const char* name) { return find_next(function, name); });
    find_heap(front_entries,
              [](auto& function, const char* name) { return find_in_front(function, name); });
    if (!front_entries.malloc || !front_entries.free) front_entries = {};
    for (unsigned i = 0; i < kOperatorForms; i++) {
        OperatorForm& form = next_operators[i];
        const link_map* module = find_next(form.function, operator_names[i]);
        form.by_allocator = form.function && module == allocator;
    }
    if (allocator != libc_module()) next_allocator = span_of(allocator);
    next_heap = heap;
    find_libc_heap(libc_heap);
    real_functions_found = true;
}

}  // namespace lastref
