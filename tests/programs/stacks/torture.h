// Shared by the generated functions (generate.py): a run's state and its ways to go on.
//
// Each run is a walk through the functions that a fixed random sequence leads, so that it makes the
// same calls each time. Every function allocates; a block is freed much later, on another stack.
//
// SPDX-License-Identifier: Apache-2.0
#ifndef LASTREF_TESTS_TORTURE_H
#define LASTREF_TESTS_TORTURE_H

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#define TORTURE_INLINE inline __attribute__((always_inline))
#define TORTURE_NOINLINE __attribute__((noinline))

// A frame that a longjmp may lead back to.
struct JumpTarget {
    jmp_buf buffer;
    JumpTarget* outer;
};

struct TortureError {
    int where;
};

// The thread's next instructions that each get a signal (step_through); it ends at a call to
// another module, and goes on after the next allocation.
extern volatile int steps_left;
TORTURE_INLINE void go_on_stepping() {
    if (steps_left > 0) {
        // The trap flag, in bit 8. The red zone of the caller stays as it is.
        asm volatile(
            "lea -128(%%rsp), %%rsp\n\tpushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\t"
            "lea 128(%%rsp), %%rsp"
            :
            :
            : "memory", "cc");
    }
}

struct Context {
    static constexpr unsigned kBlocks = 64;

    uint64_t random;
    int budget;     // calls left
    int most_deep;  // calls below each other
    // Above zero: nothing may leave through the frames of somebody else (libc, code without unwind
    // tables, a handler, a coroutine's entry, a destructor).
    int barriers;
    JumpTarget* target;
    void* blocks[kBlocks];
    unsigned newest;
    unsigned long made;

    TORTURE_INLINE uint32_t next(uint32_t below) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        return static_cast<uint32_t>((random >> 33) % below);
    }
    // malloc and, mostly, free, right in the caller's frame.
    TORTURE_INLINE void allocate() {
        void*& block = blocks[newest++ % kBlocks];
        free(block);
        block = malloc(16 + next(200));
        asm volatile("" : "+r"(block) : : "memory");
        made++;
        go_on_stepping();
    }
    TORTURE_INLINE bool enter(int depth) { return budget-- > 0 && depth < most_deep; }
    TORTURE_INLINE bool may_leave() { return barriers == 0; }
};

using Function = int (*)(Context&, int depth);
extern const Function functions[];
extern const unsigned function_count;

TORTURE_INLINE int call_any(Context& c, int depth) {
    return functions[c.next(function_count)](c, depth + 1);
}

// Ways to go on through code of another kind, in ways.cpp.
int call_in_coroutine(Context& c, int depth);
int call_in_handler(Context& c, int depth);
int call_in_code_without_tables(Context& c, int depth);
int call_from_libc(Context& c, int depth);
int call_with_odd_frame_pointer(Context& c, int depth);
[[noreturn]] void leave_by_jump(Context& c);

// Allocates when it goes, also while an exception passes.
struct Owner {
    Context& c;
    int depth;
    explicit Owner(Context& context, int at) : c(context), depth(at) { c.allocate(); }
    ~Owner() {
        c.barriers++;
        c.allocate();
        if (c.next(4) == 0) call_any(c, depth + 4);
        c.barriers--;
    }
};

struct Large {
    long words[12];
};

struct Shape {
    virtual ~Shape() = default;
    virtual int go(Context& c, int depth) = 0;
};

#endif  // LASTREF_TESTS_TORTURE_H
