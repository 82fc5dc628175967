/*
 * 500 coroutines on stacks of 16 KiB from one mapping, with a guard page below each; a switch for
 * each allocation (6,611 bytes). Half of the stacks are unmapped and mapped anew halfway.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/mman.h>
#include <ucontext.h>

#include "program.h"

enum {
    kCoroutines = 500,
    kRounds = 10,
    kStack = 16 << 10,
    kGuard = 4096,
    kPitch = kStack + kGuard
};

static ucontext_t scheduler, contexts[kCoroutines];
static char* stacks;
static long switches;

__attribute__((noinline)) static void descend(int self, int depth) {
    volatile char large[3000];
    large[depth] = 1;
    if (depth > 1) descend(self, depth - 1);
    if (depth != 1) return;
    for (;;) {
        void* block = kept(malloc(6611));
        CHECK(block && large[depth]);
        switches++;
        CHECK(swapcontext(&contexts[self], &scheduler) == 0);
        free(kept(block));
    }
}

static void run(int self) {
    descend(self, 4);
}

static void begin(int self) {
    CHECK(getcontext(&contexts[self]) == 0);
    contexts[self].uc_stack.ss_sp = stacks + self * kPitch + kGuard;
    contexts[self].uc_stack.ss_size = kStack;
    makecontext(&contexts[self], (void (*)(void))run, 1, self);
}

int main(void) {
    stacks = mmap(NULL, (size_t)kCoroutines * kPitch, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(stacks != MAP_FAILED);
    for (int i = 0; i < kCoroutines; i++) {
        CHECK(mprotect(stacks + i * kPitch, kGuard, PROT_NONE) == 0);
        begin(i);
    }
    for (int round = 0; round < kRounds; round++) {
        if (round == kRounds / 2) {
            /* Their blocks in hand are lost. */
            const size_t half = (size_t)(kCoroutines / 2) * kPitch;
            CHECK(munmap(stacks, half) == 0);
            CHECK(mmap(stacks, half, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == stacks);
            for (int i = 0; i < kCoroutines / 2; i++) begin(i);
        }
        for (int i = 0; i < kCoroutines; i++) {
            CHECK(swapcontext(&scheduler, &contexts[i]) == 0);
        }
    }
    printf("%ld switches\n", switches);
    return 0;
}
