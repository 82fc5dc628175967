// Releases that the end of another buffer brings about: what a buffer owns is let go when it ends.
//
// A trace does not say which buffer holds which. But a destructor releases what its object held
// straight after the last release of the object, on the same thread. Counted here for pairs of
// stacks; whether the second release lies inside the call that did the first is looked at when
// something leaked (owned_parts.h).
#ifndef LASTREF_ANALYZER_ANALYZE_CONSEQUENCES_H
#define LASTREF_ANALYZER_ANALYZE_CONSEQUENCES_H

#include <array>
#include <cstdint>
#include <map>
#include <tuple>
#include <unordered_map>

namespace lastref {

class Consequences {
public:
    struct Key {
        uint32_t owner_type, owner_end;  // of the buffer that ended; stack of its last operation
        uint32_t type, release;          // of the one that was released next
        auto operator<=>(const Key&) const = default;
    };
    struct Count {
        uint64_t releases = 0;
        uint64_t ends = 0;  // that brought about at least one of them
        uint64_t last_end = 0;
    };

    Consequences() = default;
    Consequences(const Consequences&) = delete;
    Consequences& operator=(const Consequences&) = delete;

    void ended(uint32_t thread, uint32_t type, uint32_t stack) {
        Recent& recent = of(thread);
        for (size_t i = 0; i < recent.used; ++i) {
            // One of several things that an owner lets go of: that one stays the last end.
            if (recent.ends[i].type == type && recent.ends[i].stack == stack) return;
        }
        if (recent.used == recent.ends.size()) {
            recent.ends[0] = recent.ends[1];
            recent.ends[1] = recent.ends[2];
            --recent.used;
        }
        recent.ends[recent.used++] = {type, stack, ++serial_};
    }
    void released(uint32_t thread, uint32_t type, uint32_t stack) {
        if (const Recent& recent = of(thread); recent.used != 0) count(recent, type, stack);
    }
    // A buffer is made or retained: other work has begun.
    void other_work(uint32_t thread) { of(thread).used = 0; }

    const std::map<Key, Count>& counts() const { return counts_; }

private:
    static constexpr size_t kMost = 4096;  // pairs; further ones are not counted

    struct End {
        uint32_t type = 0, stack = 0;
        uint64_t serial = 0;
    };
    struct Recent {
        std::array<End, 3> ends;
        size_t used = 0;
    };

    // Most events are of the same thread as the one before.
    Recent& of(uint32_t thread) {
        if (latest_ == nullptr || thread != latest_thread_) {
            latest_ = &recent_[thread];
            latest_thread_ = thread;
        }
        return *latest_;
    }

    void count(const Recent& recent, uint32_t type, uint32_t stack) {
        for (size_t i = 0; i < recent.used; ++i) {
            const End& end = recent.ends[i];
            const Key key{end.type, end.stack, type, stack};
            auto at = counts_.find(key);
            if (at == counts_.end()) {
                if (counts_.size() >= kMost) continue;
                at = counts_.try_emplace(key).first;
            }
            ++at->second.releases;
            if (at->second.last_end != end.serial) ++at->second.ends;
            at->second.last_end = end.serial;
        }
    }

    std::unordered_map<uint32_t, Recent> recent_;  // by thread
    Recent* latest_ = nullptr;                     // in recent_, of latest_thread_
    uint32_t latest_thread_ = 0;
    std::map<Key, Count> counts_;
    uint64_t serial_ = 0;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_CONSEQUENCES_H
