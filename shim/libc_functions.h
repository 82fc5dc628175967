// What the shim itself asks of the C library. Not by the PLT: the program or a sanitizer may define
// these functions, and their code is not set up when our constructor runs.
#ifndef LASTREF_SHIM_LIBC_FUNCTIONS_H
#define LASTREF_SHIM_LIBC_FUNCTIONS_H

#include <link.h>
#include <pthread.h>

namespace lastref {

// nullptr where the library has none (threads, before glibc 2.34, in a program that is not linked
// to libpthread), and before find_libc_functions().
struct LibcFunctions {
    int (*on_exit)(void (*)(int, void*), void*);
    int (*pthread_key_create)(pthread_key_t*, void (*)(void*));
    int (*pthread_setspecific)(pthread_key_t, const void*);
    void* (*dlopen)(const char*, int);
    void* (*dlsym)(void*, const char*);
    int (*dl_iterate_phdr)(int (*)(dl_phdr_info*, size_t, void*), void*);
};
extern LibcFunctions libc;

// For the constructor, and calls before it.
void find_libc_functions();

}  // namespace lastref

#endif  // LASTREF_SHIM_LIBC_FUNCTIONS_H
