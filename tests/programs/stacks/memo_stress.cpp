// Stacks made to be mistaken for one another: the same functions at other depths, other return
// addresses in the same slots, other values saved for rbp in the same slots, frames of the same
// place and size with something else below, on two threads in turn.
//
// SPDX-License-Identifier: Apache-2.0
#include <alloca.h>
#include <pthread.h>
#include <stdint.h>

#include "../process/program.h"

namespace {

constexpr int kRounds = 60;

unsigned long allocated;

__attribute__((noinline)) void allocate() {
    free(kept(malloc(48)));
}

// Two call sites of the same callee in one frame: only the return address differs.
__attribute__((noinline)) void one_of_two_sites(unsigned path, int depth);

// Several values live across the calls, so that callee-saved registers are pushed and reloaded.
__attribute__((noinline)) unsigned long many_values(unsigned path, int depth) {
    unsigned long a = path * 3, b = path ^ 0x55, c = path + 7, d = path << 2, e = path | 1,
                  f = path * path, g = ~path;
    asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
    one_of_two_sites(path, depth);
    asm volatile("" : "+r"(g));
    one_of_two_sites(path >> 1, depth);
    return a + b + c + d + e + f + g;
}

// The same frames further down the stack.
__attribute__((noinline)) void shifted(unsigned path, int depth) {
    auto* room = static_cast<char*>(alloca(16 * (1 + (path & 3))));
    room[0] = 1;
    one_of_two_sites(path, depth);
    asm volatile("" : : "r"(room) : "memory");
}

void one_of_two_sites(unsigned path, int depth) {
    if (depth == 0) {
        allocate();
        return;
    }
    const unsigned rest = path >> 2;
    switch (path & 3) {
        case 0:
            one_of_two_sites(rest, depth - 1);
            break;
        case 1:
            allocated += many_values(rest, depth - 1);
            break;
        case 2:
            shifted(rest, depth - 1);
            break;
        default:
            one_of_two_sites(rest, depth - 1);
            allocate();
            break;
    }
    asm volatile("" : : : "memory");
}

// keep_in_rbp(path, depth, value): calls one_of_two_sites(path, depth) with `value` in rbp, which
// whoever uses rbp further down saves.
asm(R"(
    .text
    .type keep_in_rbp, @function
keep_in_rbp:
    .cfi_startproc
    push %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    mov %rdx, %rbp
    call go_on_from_rbp
    pop %rbp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .size keep_in_rbp, . - keep_in_rbp
)");
extern "C" void keep_in_rbp(unsigned path, int depth, unsigned long value);
extern "C" __attribute__((used)) void go_on_from_rbp(unsigned path, int depth) {
    allocated += many_values(path, depth);
}

pthread_barrier_t turn;

void* run(void* which) {
    const auto first = static_cast<unsigned>(reinterpret_cast<uintptr_t>(which));
    for (int round = 0; round < kRounds; round++) {
        // Neighbouring paths differ at one frame; counting in Gray code changes every depth in
        // turn.
        const unsigned count = static_cast<unsigned>(round) * 2 + first;
        one_of_two_sites(count ^ count >> 1, 7);
        one_of_two_sites((count ^ count >> 1) << 8, 7);
        keep_in_rbp(count * 2654435761u, 6, count);
        if (round % 8 == 0) pthread_barrier_wait(&turn);
    }
    return nullptr;
}

}  // namespace

int main() {
    CHECK(pthread_barrier_init(&turn, nullptr, 2) == 0);
    pthread_t other;
    CHECK(pthread_create(&other, nullptr, run, reinterpret_cast<void*>(1ul)) == 0);
    run(nullptr);
    CHECK(pthread_join(other, nullptr) == 0);
    puts("told apart");
    return 0;
}
