// The functions that the shim stands in front of, as the program would have got them: looked up
// once, so that an allocator which is preloaded or linked behind us is the real one.
//
// Until the look-up is done the pointers lead to functions that do it. After it every pointer that
// is not documented to be null leads somewhere: to raw system calls or to a refusal where no module
// defines the function.
#ifndef LASTREF_SHIM_REAL_FUNCTIONS_H
#define LASTREF_SHIM_REAL_FUNCTIONS_H

#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "segment_span.h"

namespace lastref {

// An allocator's C functions.
struct HeapFunctions {
    void* (*malloc)(size_t);
    void* (*calloc)(size_t, size_t);
    void* (*realloc)(void*, size_t);
    void (*free)(void*);
    // nullptr where nothing defines them.
    void* (*reallocarray)(void*, size_t, size_t);
    int (*posix_memalign)(void**, size_t, size_t);
    void* (*aligned_alloc)(size_t, size_t);
    void* (*memalign)(size_t, size_t);
    void* (*valloc)(size_t);
    void* (*pvalloc)(size_t);
    void (*cfree)(void*);
    void (*free_sized)(void*, size_t);
    void (*free_aligned_sized)(void*, size_t, size_t);
    size_t (*malloc_usable_size)(void*);
    // jemalloc's; only looked for in front of us.
    void* (*mallocx)(size_t, int);
    void* (*rallocx)(void*, size_t, int);
    size_t (*xallocx)(void*, size_t, size_t, int);
    void (*dallocx)(void*, int);
    void (*sdallocx)(void*, size_t, int);
    // reallocarray is the allocator's, and does not call realloc by name as the C library's does.
    bool own_reallocarray;
};

// Behind us in the loader's order: what our exported functions stand in front of.
extern HeapFunctions next_heap;
// In front of us: an allocator of the program's own. `front_entries` is what the program's calls
// reach, all nullptr where they reach us; `front_heap` goes on behind the entries that lead to us
// (heap_entries.h).
extern HeapFunctions front_entries;
extern HeapFunctions front_heap;
// The C library's own names for its heap: __libc_malloc and its like.
extern HeapFunctions libc_heap;

// The allocator behind us, where it is not the C library itself; empty else.
extern SegmentSpan next_allocator;

// operator new and delete, by mangled name; see interpose_new.cpp.
inline constexpr unsigned kOperatorForms = 20;
extern const char* const operator_names[kOperatorForms];
struct OperatorForm {
    void* function;     // nullptr: there is none
    bool by_allocator;  // it belongs to the module that provides malloc
};
extern OperatorForm next_operators[kOperatorForms];
extern OperatorForm front_operators[kOperatorForms];

struct RealFunctions {
    void* (*mmap)(void*, size_t, int, int, int, off_t);
    void* (*mmap64)(void*, size_t, int, int, int, off64_t);
    int (*munmap)(void*, size_t);
    void* (*mremap)(void*, size_t, size_t, int, ...);
    int (*brk)(void*);
    void* (*sbrk)(intptr_t);
    pid_t (*fork)();
    int (*posix_spawn)(pid_t*, const char*, const posix_spawn_file_actions_t*,
                       const posix_spawnattr_t*, char* const[], char* const[]);
    int (*posix_spawnp)(pid_t*, const char*, const posix_spawn_file_actions_t*,
                        const posix_spawnattr_t*, char* const[], char* const[]);
    int (*dlclose)(void*);
    int (*prctl)(int, ...);
};
extern RealFunctions real;

// Looks everything up, once: the first interposed call or the constructor does it. Allocates
// nothing, calls nothing of the program's.
void find_real_functions();
extern bool real_functions_found;
inline void need_real_functions() {
    if (!real_functions_found) [[unlikely]]
        find_real_functions();
}

}  // namespace lastref

#endif  // LASTREF_SHIM_REAL_FUNCTIONS_H
