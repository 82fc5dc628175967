#include "sampler.h"

#include <string.h>

#include "session.h"

namespace lastref {
namespace {

uint64_t next_random(uint64_t& state) {  // xorshift64* (Vigna 2016)
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1dull;
}

// -ln(u) for u uniform in (0, 1], from the 53 high bits of `random`: the exponent gives whole
// multiples of ln 2, the mantissa m in [1, 2) the rest by the series of atanh, whose error here is
// below 2e-7.
double exponential(uint64_t random) {
    double u = (static_cast<double>(random >> 11) + 1.0) * 0x1p-53;
    uint64_t bits;
    memcpy(&bits, &u, sizeof(bits));
    const int exponent = static_cast<int>(bits >> 52) - 1023;
    bits = (bits & ((uint64_t{1} << 52) - 1)) | (uint64_t{1023} << 52);
    double m;
    memcpy(&m, &bits, sizeof(m));
    const double z = (m - 1.0) / (m + 1.0), z2 = z * z;
    const double ln_m =
        2.0 * z *
        (1.0 + z2 * (1.0 / 3 + z2 * (1.0 / 5 + z2 * (1.0 / 7 + z2 * (1.0 / 9 + z2 / 11)))));
    return -(exponent * 0.69314718055994531 + ln_m);
}

void start(SamplePoints& points) {
    // Threads differ by where their state lies and when they began.
    points.random = (reinterpret_cast<uintptr_t>(&points) * 0x9e3779b97f4a7c15ull) ^
                    monotonic_now() * 0xd6e8feb86659fd93ull;
    if (points.random == 0) points.random = 1;
    for (int i = 0; i < 4; i++) next_random(points.random);
    points.started = 1;
}

int64_t next_distance(SamplePoints& points, uint64_t mean) {
    const double distance = exponential(next_random(points.random)) * static_cast<double>(mean);
    return distance < 1e18 ? static_cast<int64_t>(distance) + 1 : INT64_MAX / 4;
}

}  // namespace

bool sample_block_slow(SamplePoints& points, size_t size, uint64_t mean) {
    if (!points.started) {
        start(points);
        points.bytes_left = next_distance(points, mean);
        points.bytes_left -= static_cast<int64_t>(size + (size == 0));
        if (points.bytes_left > 0) return false;
    }
    // The process has no memory: after the block the distance to the next point is drawn again.
    points.bytes_left = next_distance(points, mean);
    return true;
}

bool sample_buffer(SamplePoints& points, uint32_t interval) {
    if (interval <= 1) return true;
    if (!points.started) start(points);
    if (points.buffers_left == 0) {
        // Uniform in 1 .. 2 * interval - 1: `interval` on average, in step with no pattern.
        points.buffers_left =
            1 + static_cast<uint32_t>(next_random(points.random) % (2ull * interval - 1));
    }
    return --points.buffers_left == 0;
}

TrackedSet::Slot* TrackedSet::find(const void* address) {
    const uint64_t at = hash(address) >> (64 - kSlotBits);
    for (unsigned i = 0; i < kProbes; i++) {
        Slot& slot = slots_[(at + i) & ((1u << kSlotBits) - 1)];
        if (slot.address.load(std::memory_order_acquire) == reinterpret_cast<uintptr_t>(address)) {
            return &slot;
        }
    }
    return nullptr;
}

bool TrackedSet::insert(const void* address, int64_t count) {
    const uint64_t at = hash(address) >> (64 - kSlotBits);
    for (unsigned i = 0; i < kProbes; i++) {
        Slot& slot = slots_[(at + i) & ((1u << kSlotBits) - 1)];
        uintptr_t empty = 0;
        if (slot.address.load(std::memory_order_relaxed) != 0 ||
            !slot.address.compare_exchange_strong(empty, reinterpret_cast<uintptr_t>(address),
                                                  std::memory_order_acq_rel)) {
            continue;
        }
        slot.count.store(count, std::memory_order_relaxed);
        std::atomic<uint8_t>& filter = filter_[filter_index(address)];
        uint8_t held = filter.load(std::memory_order_relaxed);
        while (held != UINT8_MAX &&
               !filter.compare_exchange_weak(held, static_cast<uint8_t>(held + 1))) {
        }
        return true;
    }
    return false;
}

bool TrackedSet::holds(const void* address) const {
    return may_hold(address) && const_cast<TrackedSet*>(this)->find(address) != nullptr;
}

bool TrackedSet::remove(const void* address) {
    if (!may_hold(address)) return false;
    Slot* slot = find(address);
    uintptr_t expected = reinterpret_cast<uintptr_t>(address);
    if (!slot || !slot->address.compare_exchange_strong(expected, 0)) return false;
    std::atomic<uint8_t>& filter = filter_[filter_index(address)];
    uint8_t held = filter.load(std::memory_order_relaxed);
    while (held != UINT8_MAX && held != 0 &&
           !filter.compare_exchange_weak(held, static_cast<uint8_t>(held - 1))) {
    }
    return true;
}

int64_t TrackedSet::add(const void* address, int64_t change) {
    Slot* slot = find(address);
    if (!slot) return INT64_MIN;
    return slot->count.fetch_add(change, std::memory_order_acq_rel) + change;
}

void TrackedSet::set(const void* address, int64_t count) {
    if (Slot* slot = find(address)) slot->count.store(count, std::memory_order_release);
}

}  // namespace lastref
