#include "analyze/usage.h"

#include <algorithm>

namespace lastref {

// How many lives stand behind one that was recorded.
double Usage::weight(uint32_t type, uint64_t size) const {
    if (!sampling_.active() || type == kMapping) return 1;
    if (type == kHeap) return 1 / sampling_.block_probability(size);
    return std::max(1.0, sampling_.interval);
}

void Usage::begins(uint32_t type_id, uint32_t stack, uint64_t size, bool anew) {
    const double count = weight(type_id, size), bytes = count * static_cast<double>(size);
    TypeUsage& type = types_[type_id];
    Site& site = type.sites[stack];
    if (anew) {
        site.allocated.count += count;
        site.allocated.bytes += bytes;
    }
    change(type, site, count, bytes);
}

void Usage::ends(uint32_t type_id, uint32_t stack, uint64_t size) {
    const double count = weight(type_id, size), bytes = count * static_cast<double>(size);
    TypeUsage& type = types_[type_id];
    change(type, type.sites[stack], -count, -bytes);
}

void Usage::change(TypeUsage& type, Site& site, double count, double bytes) {
    note_time(type);
    if (site.peaks_seen != type.peaks) {
        site.peak = site.live;
        site.peaks_seen = type.peaks;
    }
    site.live.count += count;
    site.live.bytes += bytes;
    type.live.count += count;
    type.live.bytes += bytes;
    if (type.live.bytes > type.peak.bytes) {
        type.peak = type.live;
        ++type.peaks;
    }
    UsageAmount& most = type.most.back();
    most.bytes = std::max(most.bytes, type.live.bytes);
    most.count = std::max(most.count, type.live.count);
}

// Steps without a change have what the one before ended with.
void Usage::note_time(TypeUsage& type) {
    while ((now_ - first_ticks_) / step_ >= most_steps_) widen_steps();
    const uint64_t step = (now_ - first_ticks_) / step_;
    if (type.most.size() <= step) type.most.resize(step + 1, type.live);
}

void Usage::widen_steps() {
    step_ *= 2;
    for (auto& [id, type] : types_) {
        std::vector<UsageAmount>& most = type.most;
        for (size_t i = 0; i < most.size(); ++i) {
            UsageAmount& to = most[i / 2];
            if (i % 2 == 0) {
                to = most[i];
            } else {
                to.bytes = std::max(to.bytes, most[i].bytes);
                to.count = std::max(to.count, most[i].count);
            }
        }
        most.resize((most.size() + 1) / 2);
    }
}

void Usage::finish() {
    for (auto& [id, type] : types_) {
        note_time(type);
        for (auto& [stack, site] : type.sites) {
            if (site.peaks_seen != type.peaks) site.peak = site.live;
        }
    }
}

}  // namespace lastref
