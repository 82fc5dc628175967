// Ticks of a trace to nanoseconds since the trace began.
#ifndef LASTREF_ANALYZER_READ_TRACE_CLOCK_H
#define LASTREF_ANALYZER_READ_TRACE_CLOCK_H

#include <cstdint>

#include "trace_format.h"

namespace lastref {

class TraceClock {
public:
    TraceClock() = default;

    // The line through the header's two readings of both clocks. Where they are too close together
    // to give a rate, the writer's estimate; without one, ticks count as nanoseconds.
    explicit TraceClock(const trace::TraceHeader& header) : start_(header.start_ticks) {
        constexpr uint64_t kEnough = 10'000'000;  // ns between the readings
        if (header.clock == trace::Clock::kMonotonic) return;
        const uint64_t ticks = header.last_ticks - header.start_ticks;
        const uint64_t ns = header.last_monotonic_ns - header.start_monotonic_ns;
        const bool measured = header.last_ticks > header.start_ticks &&
                              header.last_monotonic_ns > header.start_monotonic_ns;
        if (measured && (ns >= kEnough || header.ticks_per_second == 0)) {
            ns_per_tick_ = static_cast<double>(ns) / static_cast<double>(ticks);
        } else if (header.ticks_per_second != 0) {
            ns_per_tick_ = 1e9 / static_cast<double>(header.ticks_per_second);
        }
    }

    uint64_t to_ns(uint64_t ticks) const {
        if (ticks <= start_) return 0;
        const double ns = static_cast<double>(ticks - start_) * ns_per_tick_;
        return ns < 1.8e19 ? static_cast<uint64_t>(ns) : UINT64_MAX;
    }

private:
    uint64_t start_ = 0;
    double ns_per_tick_ = 1;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_TRACE_CLOCK_H
