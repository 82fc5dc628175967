// Which objects are recorded at the levels simple and advanced (doc/tracing.md, Levels), and which
// addresses those are, so that events on all others can be dropped at once.
//
// Heap blocks are sampled by bytes: sampling points are a Poisson process over the bytes allocated
// by a thread, one per `bytes` on average, and a block is taken if at least one point falls into
// it. So a block of s bytes is in the sample with probability p = 1 - exp(-s / bytes), and 1 / p
// blocks (s / p bytes) stand for each one in the sample: unbiased, whatever the program's pattern
// (source: the sampling of tcmalloc and of Go's heap profile). Buffers are taken 1 in `interval`
// at random, each standing for `interval`.
//
// A tracked address is entered before the program gets it and removed before the real free, so a
// look-up never meets a reused address. Looking up costs one byte load where the answer is no.
#ifndef LASTREF_SHIM_SAMPLER_H
#define LASTREF_SHIM_SAMPLER_H

#include <stddef.h>
#include <stdint.h>
#include <atomic>

namespace lastref {

// One thread's state. All zero: the first decision draws the distances.
struct SamplePoints {
    int64_t bytes_left;     // until the next sampling point of the heap
    uint32_t buffers_left;  // until the next buffer taken
    uint32_t started;
    uint64_t random;  // xorshift state
};

// Whether the next heap block, of `size` bytes, is in the sample. `mean` > 0 bytes.
bool sample_block_slow(SamplePoints& points, size_t size, uint64_t mean);
inline bool sample_block(SamplePoints& points, size_t size, uint64_t mean) {
    // A block of no bytes counts as one, so that it has a chance.
    points.bytes_left -= static_cast<int64_t>(size + (size == 0));
    if (points.bytes_left > 0) [[likely]]
        return false;
    return sample_block_slow(points, size, mean);
}

// Whether the next buffer is in the sample: 1 in `interval`, at least 1.
bool sample_buffer(SamplePoints& points, uint32_t interval);

// The addresses in the sample that are live now, with a reference count for buffers. Lock-free.
class TrackedSet {
public:
    // False where there is no room: the object is then not sampled.
    bool insert(const void* address, int64_t count);
    // Quick, may be wrong with yes: at most one in a few hundred.
    bool may_hold(const void* address) const {
        return filter_[filter_index(address)].load(std::memory_order_relaxed) != 0;
    }
    bool holds(const void* address) const;
    // False where it was not in.
    bool remove(const void* address);
    // Adds to the count and returns it; the address must be in, else INT64_MIN.
    int64_t add(const void* address, int64_t change);
    void set(const void* address, int64_t count);

private:
    static constexpr unsigned kFilterBits = 16, kSlotBits = 16;
    static constexpr unsigned kProbes = 64;  // slots looked at for one address

    struct Slot {
        std::atomic<uintptr_t> address;
        std::atomic<int64_t> count;
    };
    static uint64_t hash(const void* address) {
        return reinterpret_cast<uintptr_t>(address) / 8 * 0x9e3779b97f4a7c15ull;
    }
    static uint64_t filter_index(const void* address) {
        return hash(address) >> (64 - kFilterBits);
    }
    Slot* find(const void* address);

    // How many addresses in the set have this index; stays at its maximum once there.
    std::atomic<uint8_t> filter_[1u << kFilterBits];
    Slot slots_[1u << kSlotBits];
};

}  // namespace lastref

#endif  // LASTREF_SHIM_SAMPLER_H
