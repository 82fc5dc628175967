// Which memory a stack walk may read.
//
// A walk only reads upwards from the stack pointer that it starts with. On a thread's own stack
// everything from there to the stack's end is mapped: the end is known without a system call
// (glibc puts the thread's control block at the top of its stack; the main thread's is
// __libc_stack_end). Each page between a newly seen depth and the known part is probed once, which
// also distinguishes own stacks from others: a guard page stops the probe. That page is remembered;
// it is asked for again now and then, since the main thread's stack grows over it.
//
// On any other stack (sigaltstack, coroutines, split stacks) each page that a walk enters is looked
// up in known_pages.h.
#ifndef LASTREF_SHIM_STACK_BOUNDS_H
#define LASTREF_SHIM_STACK_BOUNDS_H

#include <stdint.h>

#include "known_pages.h"

namespace lastref {

// Of one thread. All zero: nothing known yet.
struct OwnStack {
    uintptr_t low, high;  // [low, high) is the thread's own stack as far as seen, and mapped
    uintptr_t gap;        // the page below `low` where it ended when last asked; 0: not asked yet
    uint32_t gap_uses;    // how often `gap` was trusted since
    KnownPages pages;     // of other memory

    // Another thread goes on with it. What is known of pages holds for all threads.
    void hand_over() { low = high = gap = 0; }

    bool holds(uintptr_t address) const { return address - low < high - low; }
};

// Whether the page that holds `address` can be read, without reading it. A system call.
bool address_readable(const void* address);

class ReadableStack {
public:
    // `probe`: system calls may be made. `live`: code runs on this stack now, so that the page of
    // `sp` is known to be there.
    ReadableStack(OwnStack& own, uintptr_t sp, bool probe, bool live)
        : pages_(&own.pages), probe_(probe) {
        low_ = sp & ~uintptr_t{7};
        high_ = limit_ = own.high;
        if (!own.holds(sp)) [[unlikely]]
            look_around(own, sp, live);
    }

    // Of code that a signal interrupted at `sp`. The red zone below is that code's own as well: in
    // an epilogue the unwind table still names the slot of a register that was just popped.
    static ReadableStack interrupted(OwnStack& own, uintptr_t sp, bool probe);

    // The word at `address`; false where it may not be read.
    bool read(uintptr_t address, uintptr_t& value) {
        // high_ is a multiple of 8, so an aligned word that starts below it lies below it.
        if ((address & 7) != 0 || address < low_ || address >= high_) {
            if (!extend(address)) return false;
        }
        value = *reinterpret_cast<const uintptr_t*>(address);
        return true;
    }

    // Words that lie between the walk's sp and this address can be read as they are.
    uintptr_t readable_end() const { return high_; }

private:
    void look_around(OwnStack& own, uintptr_t sp, bool live);
    bool extend(uintptr_t address);

    KnownPages* pages_;
    uintptr_t low_, high_;  // [low_, high_) is readable; empty where high_ <= low_
    uintptr_t limit_;       // a foreign stack is not followed beyond
    bool probe_;
};

}  // namespace lastref

#endif  // LASTREF_SHIM_STACK_BOUNDS_H
