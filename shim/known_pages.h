// Pages that a thread's stack walks found readable, so that each is probed once and not with every
// event: pages of stacks that are not the thread's own (coroutines, split stacks), and of code
// without unwind tables (a JIT's).
//
// What makes it safe to trust one later:
//   A step by an unwind table from a true frame reads live frames only, which are mapped because
//   code is about to return to them. Only a step without a table may be led astray, by what code
//   keeps in rbp, to a page that has gone.
//   Each time that the program is seen to unmap or replace memory all pages of all threads are
//   forgotten. What is not seen (system calls that pass no function of libc, what libc unmaps
//   itself) is made up for by forgetting them after kTrusted look-ups anyway.
#ifndef LASTREF_SHIM_KNOWN_PAGES_H
#define LASTREF_SHIM_KNOWN_PAGES_H

#include <stdint.h>
#include <atomic>

namespace lastref {

// The program is about to unmap or replace memory.
void forget_known_pages();

// Changes with each call of that.
extern std::atomic<uint32_t> unmap_generation;

// Of one thread; signal handlers on top of it may use it too. All zero: none known.
class KnownPages {
public:
    // Whether the page that holds `address` can be read. Asks the kernel where that is not known,
    // if `probe` permits it.
    bool readable(uintptr_t address, bool probe);

private:
    static constexpr unsigned kIndexBits = 12, kPageBits = 12, kNumberBits = 36;
    static constexpr uint32_t kTrusted = 1u << 20;

    // A page's number | the generation in which it was found << kNumberBits; 0: free.
    uint64_t words_[1u << kIndexBits];
    uint32_t look_ups_;
};

}  // namespace lastref

#endif  // LASTREF_SHIM_KNOWN_PAGES_H
