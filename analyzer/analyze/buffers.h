// The lives of refcounted buffers, as the hooks record them.
//
//           create, count 1           release to 0, destroy, count 0
//     none ──────────────────▶ live ────────────────────────────────▶ ended
//                              │  ▲                                    │
//          its memory is freed │  └────────────────────────────────────┘
//            or unmapped       ▼      retain by another thread that was just too late to be
//                            freed    recorded first; a reading of the counter above 0
//
//     state   event                    what it means
//     live    retain, release          count + 1, - 1
//     live    touch, count, move       the life goes on
//     live    its memory is freed      count above 0: freed-while-referenced; for a hooked type,
//                                      an unseen release
//     ended,  release                  over-release
//     freed   retain, touch, move      use-after-release
//             destroy, count           nothing
//
//   - 'ended' and 'freed' lives are remembered until memory begins anew at their address
//     (malloc, mmap), another life is created there, or newer ones push them out (kRemembered).
//     Each is reported for one error only.
//   - A create at a live address: the end of the old life was not seen. No accusation.
//   - kCount holds the true counter. Where it differs from the events' sum, operations are unseen:
//     the count is corrected and no accusation is made of this life (doc/lifecycle-bugs.md, row
//     34).
//   - Buffers of hooked libraries: see hooked_buffers.cpp.
//   - kMove, and a realloc of the memory around it, keep the life (row 26 there).
#ifndef LASTREF_ANALYZER_ANALYZE_BUFFERS_H
#define LASTREF_ANALYZER_ANALYZE_BUFFERS_H

#include <cstdint>
#include <deque>
#include <map>
#include <unordered_map>
#include <vector>

#include "analyze/address_pages.h"
#include "analyze/buffer_life.h"
#include "analyze/consequences.h"
#include "analyze/hook_facts.h"
#include "analyze/misuse.h"
#include "analyze/trace_follower.h"
#include "read/event.h"

namespace lastref {

struct BufferTotals {
    uint64_t created = 0;
    uint64_t ended = 0;
    uint64_t unknown = 0;   // events about buffers that were not created in this trace
    uint64_t replaced = 0;  // lives whose end was not seen
};

class Buffers {
public:
    // `rate`: ticks per second. `judge_misuse` is false where events are missing.
    Buffers(MisuseLog& misuses, uint64_t ticks_per_second, bool judge_misuse);

    // `follower` is notified of every begin and end from here on, and must outlive this.
    void report_to(TraceFollower* follower) { follower_ = follower; }

    // create, retain, release, touch, count, move, destroy.
    void handle(const Event& event);
    // Types of hooked libraries; `from_start`: no buffer is older than the trace.
    void set_hooks(const HookFacts& hooks, bool from_start) {
        hooks_ = hooks;
        from_start_ = from_start;
    }

    // The fate of the memory that buffers lie in. Cheap where no buffer is near.
    void memory_begins(uint64_t address, uint64_t size) {
        if (pages_.may_hold(address, size)) [[unlikely]]
            forget_range(address, size);
    }
    void memory_ends(uint64_t address, uint64_t size, const Event& event) {
        if (pages_.may_hold(address, size)) [[unlikely]]
            end_range(address, size, event);
    }
    // A realloc or mremap moves memory: from its beginning to its end the lives in it rest.
    void memory_moves(uint64_t address, uint64_t size, uint32_t log) {
        if (pages_.may_hold(address, size)) [[unlikely]]
            lift_range(address, size, log);
    }
    // `to` is `from` where it failed.
    void memory_moved(uint64_t from, uint64_t to, uint64_t size, uint32_t log) {
        if (!lifted_.empty()) [[unlikely]]
            put_down(from, to, size, log);
    }
    // The trace ends: what still rests is where it was.
    void finish();

    const BufferTotals& totals() const { return totals_; }
    const Origins& origins() const { return origins_; }
    // The coverage of each hooked type, by type.
    const std::map<uint32_t, HookCoverage>& coverage() const { return coverage_; }
    const Types& types() const { return types_; }
    const Consequences& consequences() const { return consequences_; }
    uint64_t event_count() const { return event_count_; }
    uint64_t live() const { return live_; }
    template <typename Visit>
    void for_each_live(Visit&& visit) const {
        for (const auto& [address, life] : lives_) {
            if (life.state == BufferLife::State::kLive) visit(life);
        }
    }

private:
    using Lives = std::unordered_map<uint64_t, BufferLife>;
    static constexpr size_t kRemembered = 65536;

    // The fields of a kCounted record, about the operation that follows in its log. See
    // hooked_buffers.cpp.
    struct Told {
        uint64_t address = 0;
        int64_t count = 0;
        uint32_t flags = 0;  // trace::CountedFlags
        uint32_t type = 0;
    };
    // A buffer whose memory was freed while its count was above zero.
    struct FreedInUse {
        uint64_t address = 0;
        uint32_t type = 0;
        bool else_seen = true;  // nothing of it was unseen but what the free shows
    };
    void counted(const Event& event);
    bool is_live(uint64_t address, uint32_t type) const;
    Told take_told(const Event& event);
    void hold_against(const Told& told, const Event& event);
    void create_unseen(const Told& told, const Event& event);
    void reconcile(BufferLife& life, int64_t count, const Event& event);
    void note_unseen(BufferLife& life, uint64_t steps);
    void freed_in_use(BufferLife& life, const Event& event);
    bool explains_free(const Event& release);
    void forget_free(const Event& create);
    void bring_back(BufferLife& life);
    void unlearn_end(const BufferLife& life);

    void create(const Event& event);
    void came_alive(BufferLife& life, bool anew);
    void remember(BufferLife& life, const HistoryRecord& record);
    void went(const BufferLife& life);
    void come_to(BufferLife& life, uint32_t thread, uint64_t ticks);
    void pass_on(BufferLife& life, uint32_t thread, uint64_t ticks);
    void move(const Event& event);
    void in_life(BufferLife& life, const Event& event);
    void after_life(BufferLife& life, const Event& event);
    bool came_just_too_late(const BufferLife& life, const Event& event) const;
    void end(BufferLife& life, const Event& event);
    void accuse(Kind kind, BufferLife& life, const Event& event);
    void replace(Lives::iterator old);
    void count_gone(const BufferLife& life);
    void erase(Lives::iterator life);
    void remember_ended(const BufferLife& life);

    void forget_range(uint64_t address, uint64_t size);
    void end_range(uint64_t address, uint64_t size, const Event& event);
    void lift_range(uint64_t address, uint64_t size, uint32_t log);
    void put_down(uint64_t from, uint64_t to, uint64_t size, uint32_t log);

    MisuseLog& misuses_;
    const uint64_t race_window_;  // ticks
    const bool judge_misuse_;
    Lives lives_;             // by address, of every state
    Lives::node_type spare_;  // of a life that was forgotten, for the next one
    AddressPages pages_;      // the keys of lives_
    Origins origins_;
    SignatureRoom signature_room_;
    Types types_;
    Consequences consequences_;
    BufferTotals totals_;
    uint64_t live_ = 0;
    TraceFollower* follower_ = nullptr;
    uint64_t event_count_ = 0;
    HookFacts hooks_;
    bool from_start_ = true;
    std::unordered_map<uint32_t, Told> told_;                            // by log
    std::unordered_map<uint32_t, std::deque<FreedInUse>> freed_in_use_;  // by log, the newest few
    std::map<uint32_t, HookCoverage> coverage_;
    std::deque<std::pair<uint64_t, uint64_t>> ended_;  // address, created_at: oldest first
    std::unordered_map<uint32_t, std::vector<BufferLife>> lifted_;  // by log
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_BUFFERS_H
