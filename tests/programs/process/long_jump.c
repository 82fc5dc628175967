/*
 * longjmp over 50 frames that hold blocks, 2,000 times, and siglongjmp out of a handler that
 * allocated. Blocks of 9,001 bytes; each is freed after the jump.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <signal.h>

#include "program.h"

enum { kJumps = 2000, kDepth = 50, kSize = 9001 };

static jmp_buf back;
static sigjmp_buf back_from_handler;
static void* blocks[kDepth];

__attribute__((noinline)) static void descend(int depth) {
    blocks[depth] = kept(malloc(kSize));
    if (depth + 1 < kDepth) descend(depth + 1);
    longjmp(back, 1);
}

static void handle(int signal_number) {
    (void)signal_number;
    blocks[0] = kept(malloc(kSize));
    siglongjmp(back_from_handler, 1);
}

int main(void) {
    volatile int jumps = 0;
    while (jumps < kJumps) {
        if (setjmp(back) == 0) descend(0);
        for (int i = 0; i < kDepth; i++) free(kept(blocks[i]));
        jumps++;
    }
    signal(SIGUSR1, handle);
    volatile int out_of_handler = 0;
    while (out_of_handler < kJumps) {
        if (sigsetjmp(back_from_handler, 1) == 0) raise(SIGUSR1);
        free(kept(blocks[0]));
        out_of_handler++;
    }
    printf("%d jumps, %d out of a handler\n", jumps, out_of_handler);
    return 0;
}
