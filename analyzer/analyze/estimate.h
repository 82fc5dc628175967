// What a sample stands for (doc/tracing.md, Levels; shim/sampler.h says how it is drawn).
//
// Each object in the sample was taken with a known probability p, independently of the others, so
// 1 / p objects stand behind it: the Horvitz-Thompson estimator, unbiased for counts and bytes. Its
// variance is estimated without bias by the sum of value^2 (1 - p) / p^2 over the sample.
#ifndef LASTREF_ANALYZER_ANALYZE_ESTIMATE_H
#define LASTREF_ANALYZER_ANALYZE_ESTIMATE_H

#include <cmath>
#include <cstdint>

#include "trace_format.h"

namespace lastref {

// How a trace was sampled; zeros: everything was recorded.
struct Sampling {
    double bytes = 0;     // mean distance of the heap's sampling points
    double interval = 0;  // one buffer in so many

    static Sampling of(const trace::TraceHeader& header) {
        return {static_cast<double>(header.sample_bytes),
                static_cast<double>(header.sample_interval)};
    }
    bool active() const { return bytes > 0; }
    double block_probability(uint64_t size) const {
        return -std::expm1(-static_cast<double>(size == 0 ? 1 : size) / bytes);
    }
};

class Estimate {
public:
    // An object of `size` bytes that is in the sample with `probability`, in (0, 1].
    void add(uint64_t size, double probability) {
        const double value = static_cast<double>(size);
        const double rest = (1 - probability) / (probability * probability);
        count_ += 1 / probability;
        bytes_ += value / probability;
        count_variance_ += rest;
        bytes_variance_ += value * value * rest;
    }
    // `count` objects of `bytes` bytes together, all of one size or nearly so.
    void add_many(uint64_t count, uint64_t bytes, double probability) {
        const double n = static_cast<double>(count), value = static_cast<double>(bytes);
        const double rest = (1 - probability) / (probability * probability);
        count_ += n / probability;
        bytes_ += value / probability;
        count_variance_ += n * rest;
        bytes_variance_ += n == 0 ? 0 : value * value / n * rest;
    }

    // Of other objects, sampled independently.
    void add(const Estimate& other) {
        count_ += other.count_;
        bytes_ += other.bytes_;
        count_variance_ += other.count_variance_;
        bytes_variance_ += other.bytes_variance_;
    }

    uint64_t count() const { return static_cast<uint64_t>(std::llround(count_)); }
    uint64_t bytes() const { return static_cast<uint64_t>(std::llround(bytes_)); }
    double count_error() const { return std::sqrt(count_variance_); }  // standard errors
    double bytes_error() const { return std::sqrt(bytes_variance_); }

private:
    double count_ = 0, bytes_ = 0, count_variance_ = 0, bytes_variance_ = 0;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_ESTIMATE_H
