// The functions that the shim stands in front of, as the program would have got them: looked up
// once with RTLD_NEXT, so that an allocator which is preloaded or linked behind us is the real one.
//
// Until the look-up is done the heap pointers lead to functions that do it, so no call ever tests
// whether it happened.
#ifndef LASTREF_SHIM_REAL_FUNCTIONS_H
#define LASTREF_SHIM_REAL_FUNCTIONS_H

#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

namespace lastref {

struct RealFunctions {
    void* (*malloc)(size_t);
    void* (*calloc)(size_t, size_t);
    void* (*realloc)(void*, size_t);
    void (*free)(void*);
    // May be nullptr where the allocator does not have them.
    int (*posix_memalign)(void**, size_t, size_t);
    void* (*aligned_alloc)(size_t, size_t);
    void* (*memalign)(size_t, size_t);
    void* (*valloc)(size_t);
    void* (*pvalloc)(size_t);
    void (*free_sized)(void*, size_t);
    void (*free_aligned_sized)(void*, size_t, size_t);
    size_t (*malloc_usable_size)(void*);
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

// operator new and delete, by mangled name; see interpose_new.cpp.
struct OperatorForm {
    const char* name;
    void* next;         // the next definition after ours, nullptr: none
    bool by_allocator;  // it belongs to the module that provides malloc
};
inline constexpr unsigned kOperatorForms = 20;
extern OperatorForm operator_forms[kOperatorForms];

// Looks everything up, once: the first interposed call or the constructor does it. Later look-ups
// would take the loader's lock and clear the program's dlerror().
void find_real_functions();

}  // namespace lastref

#endif  // LASTREF_SHIM_REAL_FUNCTIONS_H
