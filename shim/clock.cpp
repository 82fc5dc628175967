#include "clock.h"

#include <string.h>
#include <atomic>

#include "raw_syscall.h"

namespace lastref {
namespace {

std::atomic<uint64_t> counter;

}  // namespace

TickSource choose_clock() {
    const int fd = raw::open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                             O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return TickSource::kMonotonic;
    char name[16] = {};
    raw::read(fd, name, sizeof(name) - 1);
    raw::close(fd);
    return strncmp(name, "tsc\n", 4) == 0 ? TickSource::kTsc : TickSource::kMonotonic;
}

void start_counting(uint64_t ticks) {
    counter.store(ticks, std::memory_order_release);
}

uint64_t ticks_without_tsc(TickSource source) {
    if (source == TickSource::kCounter) return counter.fetch_add(1, std::memory_order_acq_rel);
    return clock_ns(CLOCK_MONOTONIC);
}

}  // namespace lastref
