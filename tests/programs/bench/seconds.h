// The clock of the benchmarks' programs.
#ifndef LASTREF_BENCH_SECONDS_H
#define LASTREF_BENCH_SECONDS_H

#include <time.h>

static inline double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#endif  // LASTREF_BENCH_SECONDS_H
