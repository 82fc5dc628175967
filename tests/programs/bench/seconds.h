// The clocks of the benchmarks' programs.
#ifndef LASTREF_BENCH_SECONDS_H
#define LASTREF_BENCH_SECONDS_H

#include <time.h>

static inline double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
static inline double seconds_now(void) {
    return seconds_of(CLOCK_MONOTONIC);
}

#endif  // LASTREF_BENCH_SECONDS_H
