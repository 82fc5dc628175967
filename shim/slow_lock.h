// The one lock of the shim, for what happens seldom: a chunk is used up, a new stack or module is
// seen, a thread starts or ends. It lives in memory that a forked child finds zeroed (unlocked).
//
// Signals are blocked while it is held, so a handler never waits for the thread below it. Waiting
// is bounded: where the holder does not come back (a vfork child was killed with the lock) the
// caller gives up, and what it had to say is counted as lost.
#ifndef LASTREF_SHIM_SLOW_LOCK_H
#define LASTREF_SHIM_SLOW_LOCK_H

#include <stdint.h>
#include <atomic>

#include "raw_syscall.h"

namespace lastref {

struct SlowLock {
    std::atomic<uint32_t> held;
};

class SlowLockHolder {
public:
    // With `may_call_kernel` false (after a seccomp filter) signals stay unblocked and a nested
    // handler may be refused the lock.
    SlowLockHolder(SlowLock& lock, bool may_call_kernel) : lock_(lock), masked_(may_call_kernel) {
        if (masked_) set_mask(kBlock, &all_, &old_);
        const uint32_t most = may_call_kernel ? kMaxSpins : kMaxBusySpins;
        for (uint32_t spins = 0; spins < most; spins++) {
            if (lock_.held.exchange(1, std::memory_order_acquire) == 0) {
                owned_ = true;
                return;
            }
            // Sleeping, not yielding: the holder may have a lower real-time priority.
            if (spins > 256 && may_call_kernel)
                sleep_briefly();
            else
                __builtin_ia32_pause();
        }
    }
    ~SlowLockHolder() {
        if (owned_) lock_.held.store(0, std::memory_order_release);
        if (masked_) set_mask(kSet, &old_, nullptr);
    }
    SlowLockHolder(const SlowLockHolder&) = delete;
    SlowLockHolder& operator=(const SlowLockHolder&) = delete;

    bool owned() const { return owned_; }

private:
    static constexpr int kBlock = 0, kSet = 2;    // SIG_BLOCK, SIG_SETMASK
    static constexpr uint32_t kMaxSpins = 20000;  // some two seconds
    static constexpr uint32_t kMaxBusySpins = 1u << 20;

    static void sleep_briefly() {
        const int64_t time[2] = {0, 50000};  // struct timespec: 50 us
        raw::call(SYS_nanosleep, reinterpret_cast<long>(time), 0);
    }

    static void set_mask(int how, const uint64_t* set, uint64_t* old) {
        raw::call(SYS_rt_sigprocmask, how, reinterpret_cast<long>(set), reinterpret_cast<long>(old),
                  sizeof(uint64_t));
    }

    SlowLock& lock_;
    const uint64_t all_ = ~0ull;
    uint64_t old_ = 0;
    bool masked_;
    bool owned_ = false;
};

}  // namespace lastref

#endif  // LASTREF_SHIM_SLOW_LOCK_H
