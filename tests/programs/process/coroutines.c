/*
 * Eight coroutines on stacks of their own, half from malloc, half from mmap, switched 20,000 times.
 * Each allocates 6,501 bytes before a switch and frees them after it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/mman.h>
#include <ucontext.h>

#include "program.h"

enum { kCoroutines = 8, kRounds = 2500, kStack = 1 << 16 };

static ucontext_t scheduler, contexts[kCoroutines];
static long rounds;

static void run(int self) {
    for (int i = 0; i < kRounds; i++) {
        void* block = kept(malloc(6501));
        CHECK(block);
        swapcontext(&contexts[self], &scheduler);
        free(kept(block));
        rounds++;
    }
}

int main(void) {
    void* stacks[kCoroutines];
    for (int i = 0; i < kCoroutines; i++) {
        stacks[i] =
            i % 2 ? malloc(kStack)
                  : mmap(NULL, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(stacks[i] && stacks[i] != MAP_FAILED);
        CHECK(getcontext(&contexts[i]) == 0);
        contexts[i].uc_stack.ss_sp = stacks[i];
        contexts[i].uc_stack.ss_size = kStack;
        contexts[i].uc_link = &scheduler;
        makecontext(&contexts[i], (void (*)(void))run, 1, i);
    }
    for (int round = 0; round <= kRounds; round++)
        for (int i = 0; i < kCoroutines; i++) CHECK(swapcontext(&scheduler, &contexts[i]) == 0);
    for (int i = 0; i < kCoroutines; i++) {
        if (i % 2)
            free(stacks[i]);
        else
            CHECK(munmap(stacks[i], kStack) == 0);
    }
    printf("%ld rounds\n", rounds);
    return 0;
}
