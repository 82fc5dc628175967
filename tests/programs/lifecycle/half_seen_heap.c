/* One heap, used by two ways: through malloc and free as any program, and through the C library's
 * own functions, looked up in it, which stands for all that passes the interposed ones by.
 *
 *   half_seen_heap made_unseen    Truth: 1000 blocks are made unseen and freed as usual, each where
 *                                 a usual one has just been freed.
 *   half_seen_heap freed_unseen   Truth: 100 blocks of 700 bytes are made as usual in make() and
 * freed unseen, twice over at the same addresses.
 *
 * In both every block is freed, once. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define FRAME __attribute__((noinline, noclone))

static void* (*volatile libc_malloc)(size_t);
static void (*volatile libc_free)(void*);

/* Compilers leave out pairs of malloc and free. */
static void* volatile seen;

FRAME static void* make(size_t size) {
    seen = malloc(size);
    return seen;
}

int main(int argc, char** argv) {
    void* libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    if (argc != 2 || !libc) return 2;
    *(void**)&libc_malloc = dlsym(libc, "malloc");
    *(void**)&libc_free = dlsym(libc, "free");
    if (strcmp(argv[1], "made_unseen") == 0) {
        for (int i = 0; i < 1000; ++i) {
            free(make(900));
            free(libc_malloc(900));
        }
        return 0;
    }
    void* blocks[100];
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 100; ++i) blocks[i] = make(700);
        for (int i = 0; i < 100; ++i) libc_free(blocks[i]);
    }
    return 0;
}
