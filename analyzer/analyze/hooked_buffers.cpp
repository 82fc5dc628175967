// Buffers of hooked libraries: compares the counter that kCounted recorded before an operation with
// the model.
//
//   the counter has not been seen to       its readings mean nothing
//   follow the operations
//   the counter is what the events say     nothing: it stays out of the history
//   it is not                              operations were unseen (inlined code): the count is
//                                          corrected. Where several threads are at the buffer a
//                                          reading may be a race, so it must be met twice.
//   an ended life has a count above zero   it goes on: brought back from a pool, or its end was
//                                          none; but where its true counter was seen to go to zero
//                                          and creations are not all seen, that is another one
//   a destroy that is meant only where      it is passed over where there is none
//   a buffer of its type is live
//   a release that its function did        it is what freed the buffer's memory before
//   before it returned
//   an unknown identity of a type whose    it was created unseen, with the count that was read
//   creations are not all seen
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <utility>

#include "analyze/buffers.h"

namespace lastref {

using State = BufferLife::State;
using trace::Op;

void Buffers::counted(const Event& event) {
    const uint32_t meant = hooks_.counter_holds(event.string) ? ~0u : ~uint32_t{trace::kCountKnown};
    told_[event.log] = {event.address, event.value, event.detail & meant, event.string};
}

bool Buffers::is_live(uint64_t address, uint32_t type) const {
    const auto found = lives_.find(address);
    return found != lives_.end() && found->second.state == State::kLive &&
           found->second.type == type;
}

Buffers::Told Buffers::take_told(const Event& event) {
    const auto found = told_.find(event.log);
    if (found == told_.end() || found->second.address != event.address) return {};
    return std::exchange(found->second, {});
}

void Buffers::create_unseen(const Told& told, const Event& event) {
    Event created = event;
    created.op = Op::kCreate;
    created.string = told.type;
    created.size = 0;
    create(created);
    const bool known = (told.flags & trace::kCountKnown) != 0;
    if (known && told.count > 0) lives_.find(event.address)->second.count = told.count;
}

// Before the operation `event` is applied; for a create, after it.
void Buffers::hold_against(const Told& told, const Event& event) {
    const bool known = (told.flags & trace::kCountKnown) != 0;
    const bool may_be_new =
        (told.flags & trace::kImplicit) != 0 && from_start_ && event.op != Op::kDestroy;
    const auto found = lives_.find(event.address);
    if (found == lives_.end()) {
        if (may_be_new) create_unseen(told, event);
        return;
    }
    BufferLife& life = found->second;
    if (event.op == Op::kCreate) {
        if (known) life.count = told.count;
        return;
    }
    if (life.state == State::kEnded && !life.memory_freed) {
        const bool lives_on = known && told.count > 0;
        const bool from_pool = (told.flags & trace::kRevives) != 0 && event.op == Op::kRetain;
        if (!lives_on && !from_pool) return;
        if (may_be_new && life.counted_out && !came_just_too_late(life, event)) {
            return create_unseen(told, event);
        }
        if (lives_on) unlearn_end(life);
        bring_back(life);
        life.count = lives_on ? told.count : 0;
        if ((told.flags & trace::kRevives) == 0) note_unseen(life, 1);
        return;
    }
    if (life.state != State::kLive) return;
    if (known) reconcile(life, told.count, event);
    life.counted_out = known && told.count == 1 && event.op == Op::kRelease;
}

void Buffers::reconcile(BufferLife& life, int64_t count, const Event& event) {
    if (life.last_thread != event.thread) life.threads = std::min(life.threads + 1, 2);
    life.last_thread = event.thread;
    const int64_t gap = count - life.count;
    const bool again = gap == life.gap_seen;
    life.gap_seen = gap;
    if (gap == 0 || (life.threads > 1 && !again)) return;
    life.gap_seen = 0;
    life.count = count;
    note_unseen(life, static_cast<uint64_t>(std::abs(gap)));
    Event told = event;
    told.op = Op::kCount;
    told.stack = 0;
    told.string = 0;
    remember(life, make_record(told, count));
}

void Buffers::note_unseen(BufferLife& life, uint64_t steps) {
    if (life.unseen == 0 && steps != 0) ++types_[life.type].unseen;
    life.unseen = std::max(life.unseen, steps);
    coverage_[life.type].unseen += steps;
}

// A hooked library drops its last reference by inlined code; or in a function that returns now.
void Buffers::freed_in_use(BufferLife& life, const Event& event) {
    constexpr size_t kNewest = 8;
    if (life.count == 1) {
        std::deque<FreedInUse>& in_thread = freed_in_use_[event.log];
        in_thread.push_back({life.address, life.type, life.unseen == 0});
        if (in_thread.size() > kNewest) in_thread.pop_front();
    }
    note_unseen(life, static_cast<uint64_t>(life.count));
}

// Whether `release` is what freed a buffer in its thread before: the step was seen after all.
// Another buffer may lie there by now.
bool Buffers::explains_free(const Event& release) {
    const auto in_thread = freed_in_use_.find(release.log);
    if (in_thread == freed_in_use_.end()) return false;
    const auto freed =
        std::find_if(in_thread->second.begin(), in_thread->second.end(),
                     [&](const FreedInUse& one) { return one.address == release.address; });
    if (freed == in_thread->second.end()) return false;
    HookCoverage& coverage = coverage_[freed->type];
    --coverage.unseen;
    ++coverage.seen;
    if (freed->else_seen) --types_[freed->type].unseen;
    in_thread->second.erase(freed);
    return true;
}

// A buffer created in the same thread lies in memory that was allocated again since.
void Buffers::forget_free(const Event& create) {
    const auto in_thread = freed_in_use_.find(create.log);
    if (in_thread == freed_in_use_.end()) return;
    std::erase_if(in_thread->second,
                  [&](const FreedInUse& one) { return one.address == create.address; });
}

}  // namespace lastref
