/* Known numbers of blocks and buffers, for the levels that record a sample. */
#include <lastref/lastref.h>
#include <stdio.h>
#include <stdlib.h>

enum { kBlocks = 60000, kBuffers = 40000 };

static void* volatile sink;

__attribute__((noinline)) static void* allocate(size_t size) {
    return sink = malloc(size);
}
__attribute__((noinline)) static void keep_block(size_t size) {
    sink = malloc(size);
}

int main(void) {
    /* Kept: 30,000 blocks of 500 to 1,499 bytes; ended: as many. */
    for (int i = 0; i < kBlocks; i++) {
        if (i % 2)
            keep_block(500 + (size_t)(i / 2 % 1000));
        else
            free(allocate(500 + (size_t)(i / 2 % 1000)));
    }
    /* One buffer in four keeps its last reference; their memory is not from the heap. */
    static char memory[kBuffers];
    for (int i = 0; i < kBuffers; i++) {
        lastref_create(&memory[i], 64, "Sampled");
        lastref_retain(&memory[i]);
        lastref_release(&memory[i]);
        if (i % 4 != 0) lastref_release(&memory[i]);
    }
    puts("kept 30000 blocks and 10000 buffers");
    return 0;
}
