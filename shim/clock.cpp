#include "clock.h"

#include <string.h>
#include <atomic>

#include "raw_syscall.h"
#include "symbol_lookup.h"

namespace lastref {
namespace {

std::atomic<uint64_t> counter;
int (*vdso_clock_gettime)(clockid_t, timespec*);

}  // namespace

uint64_t clock_ns(clockid_t id) {
    timespec now;  // no clock that we ask for is refused
    if (vdso_clock_gettime)
        vdso_clock_gettime(id, &now);
    else
        raw::call(SYS_clock_gettime, id, reinterpret_cast<long>(&now));
    return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

TickSource choose_clock(uintptr_t vdso) {
    vdso_clock_gettime =
        reinterpret_cast<decltype(vdso_clock_gettime)>(vdso_symbol(vdso, "__vdso_clock_gettime"));
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
