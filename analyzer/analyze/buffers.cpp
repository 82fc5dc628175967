#include "analyze/buffers.h"

#include <algorithm>
#include <utility>

namespace lastref {

using State = BufferLife::State;
using trace::Op;

namespace {

// kCount may set any value in a damaged trace, so steps stop at the limits.
void step(BufferLife& life, int64_t by) {
    if (__builtin_add_overflow(life.count, by, &life.count)) {
        life.count = by > 0 ? INT64_MAX : INT64_MIN;
    }
}

}  // namespace

// A thread that raised the counter may be interrupted before it records so; another's release
// then seems to be the last one. A tenth of a second is more than a time slice.
Buffers::Buffers(MisuseLog& misuses, uint64_t ticks_per_second, bool judge_misuse)
    : misuses_(misuses), race_window_(ticks_per_second / 10), judge_misuse_(judge_misuse) {}

void Buffers::handle(const Event& event) {
    if (event.op == Op::kCounted) return counted(event);
    ++event_count_;
    const Told told = take_told(event);
    if ((told.flags & trace::kIfLive) != 0 && !is_live(event.address, told.type)) return;
    if ((told.flags & trace::kReturned) != 0 && explains_free(event)) return;
    if (event.op == Op::kCreate) {
        if (!freed_in_use_.empty()) forget_free(event);
        create(event);
        if (told.flags != 0) hold_against(told, event);
        return;
    }
    if (told.flags != 0) hold_against(told, event);
    if (event.op == Op::kMove) return move(event);
    const auto found = lives_.find(event.address);
    if (found == lives_.end()) {
        ++totals_.unknown;
        return;
    }
    BufferLife& life = found->second;
    life.last_event_at = event_count_;
    if (hooks_.hooked(life.type)) ++coverage_[life.type].seen;
    if (life.state == State::kLive) {
        in_life(life, event);
    } else {
        after_life(life, event);
    }
}

void Buffers::came_alive(BufferLife& life, bool anew) {
    ++live_;
    if (follower_ == nullptr) return;
    if (anew)
        life.number = follower_->begins(life.followed());
    else
        follower_->goes_on(life.followed());
}

void Buffers::went(const BufferLife& life) {
    --live_;
    if (follower_ != nullptr) follower_->ends(life.followed());
}

void Buffers::remember(BufferLife& life, const HistoryRecord& record) {
    life.remember(record);
    if (follower_ != nullptr) follower_->concerns(life.followed());
}

void Buffers::create(const Event& event) {
    if (const auto old = lives_.find(event.address); old != lives_.end()) replace(old);
    BufferLife life;
    life.address = event.address;
    life.size = event.size;
    life.type = event.string;
    life.created_stack = event.stack;
    life.created_ticks = event.ticks;
    life.created_at = life.last_event_at = event_count_;
    life.last_thread = event.thread;
    if (hooks_.hooked(life.type)) ++coverage_[life.type].seen;
    OriginStatistics& origin = origins_[{life.type, life.created_stack}];
    life.serial = origin.created;
    origin.count_created();
    TypeStatistics& type = types_[life.type];
    life.type_serial = type.created;
    type.count_created();
    come_to(life, event.thread, event.ticks);
    consequences_.other_work(event.thread);
    HistoryRecord record = make_record(event, 1);
    record.string = 0;
    came_alive(life, true);
    remember(life, record);
    if (spare_.empty()) {
        lives_.emplace(event.address, std::move(life));
    } else {
        spare_.key() = event.address;
        spare_.mapped() = std::move(life);
        lives_.insert(std::move(spare_));
    }
    pages_.add(event.address);
    ++totals_.created;
}

void Buffers::come_to(BufferLife& life, uint32_t thread, uint64_t ticks) {
    life.used_by = thread;
    if (ThreadPopulation* const users = types_[life.type].of_thread(thread)) {
        life.used_by_serial = users->created;
        users->count_created();
        users->last_change = ticks;
    }
}

void Buffers::pass_on(BufferLife& life, uint32_t thread, uint64_t ticks) {
    if (ThreadPopulation* const users = types_[life.type].of_thread(life.used_by))
        users->count_gone();
    come_to(life, thread, ticks);
}

void Buffers::move(const Event& event) {
    const uint64_t from = event.address, to = event.other;
    if (const auto there = lives_.find(to);
        there != lives_.end() && there->second.moved_from == from && from != to) {
        // The realloc already took it along; whatever is at the old address now is another.
        there->second.moved_from = 0;
        there->second.last_event_at = event_count_;
        remember(there->second, make_record(event, there->second.count));
        return;
    }
    const auto found = lives_.find(from);
    if (found == lives_.end()) {
        ++totals_.unknown;
        return;
    }
    if (found->second.state != State::kLive) return after_life(found->second, event);
    if (from != to) {
        BufferLife life = std::move(found->second);
        lives_.erase(found);
        pages_.remove(from);
        if (const auto old = lives_.find(to); old != lives_.end()) replace(old);
        life.address = to;
        life.moved_from = 0;
        lives_.emplace(to, std::move(life));
        pages_.add(to);
    }
    BufferLife& life = lives_.find(to)->second;
    life.last_event_at = event_count_;
    remember(life, make_record(event, life.count));
}

void Buffers::in_life(BufferLife& life, const Event& event) {
    if (event.thread != life.used_by) pass_on(life, event.thread, event.ticks);
    switch (event.op) {
        case Op::kRetain:
            step(life, +1);
            consequences_.other_work(event.thread);
            break;
        case Op::kRelease:
            step(life, -1);
            consequences_.released(event.thread, life.type, event.stack);
            break;
        case Op::kCount:
            if (event.value != life.count) {
                const uint64_t gap =
                    event.value > life.count
                        ? static_cast<uint64_t>(event.value) - static_cast<uint64_t>(life.count)
                        : static_cast<uint64_t>(life.count) - static_cast<uint64_t>(event.value);
                if (life.unseen == 0) ++types_[life.type].unseen;
                life.unseen = std::max(life.unseen, gap);
                life.count = event.value;
            }
            break;
        default:
            break;
    }
    remember(life, make_record(event, life.count));
    if (event.op == Op::kDestroy) life.destroyed = true;
    if (event.op == Op::kDestroy || (life.count <= 0 && event.op != Op::kTouch)) end(life, event);
}

void Buffers::end(BufferLife& life, const Event& event) {
    life.state = State::kEnded;
    life.ended_ticks = event.ticks;
    life.ended_thread = event.thread;
    consequences_.ended(event.thread, life.type, event.stack);
    ++totals_.ended;
    went(life);
    OriginStatistics& origin = origins_[{life.type, life.created_stack}];
    origin.count_ended(event.ticks - life.created_ticks);
    TypeStatistics& type = types_[life.type];
    type.count_ended(event.ticks - life.created_ticks);
    if (ThreadPopulation* const thread = type.of_thread(life.used_by)) {
        thread->count_ended(event.ticks - life.created_ticks);
        thread->ends.add(life.type_serial, type.created);
        thread->last_change = event.ticks;
        thread->newest_ended = std::max(thread->newest_ended, life.used_by_serial + 1);
    }
    // Peers that operations are unseen of would teach blame wrong numbers.
    life.ended_signature = life.signature.value();
    if (life.unseen == 0) origin.ended_lives.add(life, signature_room_);
    remember_ended(life);
}

// The counter was raised before the last release but recorded after it: only another thread can
// do that, only at once, and only while the memory is still there.
bool Buffers::came_just_too_late(const BufferLife& life, const Event& event) const {
    return event.op == Op::kRetain && event.thread != life.ended_thread && !life.memory_freed &&
           !life.destroyed && event.ticks - life.ended_ticks <= race_window_;
}

void Buffers::after_life(BufferLife& life, const Event& event) {
    if (life.state == State::kEnded && came_just_too_late(life, event)) {
        unlearn_end(life);
        bring_back(life);
        life.count = 1;
        remember(life, make_record(event, life.count));
        return;
    }
    if (event.op == Op::kRelease) step(life, -1);
    if (event.op == Op::kRetain) step(life, +1);
    remember(life, make_record(event, life.count));
    switch (event.op) {
        case Op::kDestroy:
            life.destroyed = true;
            break;  // the usual end of a pooled buffer
        case Op::kCount:
            break;  // says nothing of who holds what
        case Op::kRelease:
            accuse(Kind::kOverRelease, life, event);
            break;
        default:
            accuse(Kind::kUseAfterRelease, life, event);
            break;
    }
}

void Buffers::bring_back(BufferLife& life) {
    life.state = State::kLive;
    life.destroyed = false;
    --totals_.ended;
    came_alive(life, false);
    origins_[{life.type, life.created_stack}].revive();
    TypeStatistics& type = types_[life.type];
    type.revive();
    if (ThreadPopulation* const thread = type.of_thread(life.used_by)) thread->revive();
}

// It did not end well after all: no example of how lives end.
void Buffers::unlearn_end(const BufferLife& life) {
    if (life.unseen != 0) return;
    origins_[{life.type, life.created_stack}].ended_lives.remove(life.ended_signature,
                                                                 signature_room_);
}

void Buffers::accuse(Kind kind, BufferLife& life, const Event& event) {
    if (life.judged || life.unseen != 0 || !judge_misuse_ || hooks_.partial(life.type)) return;
    life.judged = true;
    if (kind == Kind::kOverRelease) unlearn_end(life);
    Misuse misuse;
    misuse.kind = kind;
    misuse.type = life.type;
    misuse.created_stack = life.created_stack;
    misuse.stack = event.stack;
    misuse.count_min = misuse.count_max = life.count;
    misuse.address = life.address;
    misuse.size = life.size;
    misuse.left_out = life.history.left_out();
    misuses_.add(misuse, [&life] { return life.history.in_order(); });
}

// A life ends unseen because another begins at its address.
void Buffers::replace(Lives::iterator old) {
    if (old->second.state == State::kLive) {
        ++totals_.replaced;
        ++totals_.ended;
        went(old->second);
        ++types_[old->second.type].replaced;
        count_gone(old->second);
    }
    erase(old);
}

void Buffers::count_gone(const BufferLife& life) {
    origins_[{life.type, life.created_stack}].count_gone();
    TypeStatistics& type = types_[life.type];
    type.count_gone();
    if (ThreadPopulation* const thread = type.of_thread(life.used_by)) thread->count_gone();
}

void Buffers::erase(Lives::iterator life) {
    pages_.remove(life->first);
    spare_ = lives_.extract(life);
}

// `created_at` distinguishes the lives at one address.
void Buffers::remember_ended(const BufferLife& life) {
    ended_.emplace_back(life.address, life.created_at);
    if (ended_.size() <= kRemembered) return;
    const auto [address, created_at] = ended_.front();
    ended_.pop_front();
    const auto found = lives_.find(address);
    if (found != lives_.end() && found->second.created_at == created_at &&
        found->second.state != State::kLive) {
        erase(found);
    }
}

void Buffers::forget_range(uint64_t address, uint64_t size) {
    for (const uint64_t inside : pages_.in_range(address, size)) replace(lives_.find(inside));
}

void Buffers::end_range(uint64_t address, uint64_t size, const Event& event) {
    for (const uint64_t inside : pages_.in_range(address, size)) {
        BufferLife& life = lives_.find(inside)->second;
        if (life.state == State::kEnded && !life.memory_freed) {
            types_[life.type].count_free(event.stack);
        }
        life.memory_freed = true;
        if (life.state != State::kLive) continue;
        remember(life, make_record(event, life.count));
        if (life.count > 0 && hooks_.hooked(life.type))
            freed_in_use(life, event);
        else if (life.count > 0)
            accuse(Kind::kFreedWhileReferenced, life, event);
        life.judged = true;
        life.state = State::kFreed;
        life.ended_ticks = event.ticks;
        ++totals_.ended;
        went(life);
        count_gone(life);
        remember_ended(life);
    }
}

void Buffers::lift_range(uint64_t address, uint64_t size, uint32_t log) {
    std::vector<BufferLife>& resting = lifted_[log];
    for (const uint64_t inside : pages_.in_range(address, size)) {
        const auto life = lives_.find(inside);
        if (life->second.state == State::kLive) resting.push_back(std::move(life->second));
        erase(life);
    }
    if (resting.empty()) lifted_.erase(log);
}

void Buffers::put_down(uint64_t from, uint64_t to, uint64_t size, uint32_t log) {
    const auto found = lifted_.find(log);
    if (found == lifted_.end()) return;
    std::vector<BufferLife> resting = std::move(found->second);
    lifted_.erase(found);
    for (BufferLife& life : resting) {
        const uint64_t offset = life.address - from;
        const uint64_t address = to + offset;
        if (from != to) life.moved_from = life.address;
        life.address = address;
        // A buffer beyond the new end, or an address that another life took: it ended unseen.
        if (offset >= size || !lives_.try_emplace(address, std::move(life)).second) {
            ++totals_.replaced;
            ++totals_.ended;
            went(life);
            count_gone(life);
            continue;
        }
        pages_.add(address);
    }
}

void Buffers::finish() {
    while (!lifted_.empty()) {
        const auto& [log, resting] = *lifted_.begin();
        const uint64_t base = resting.front().address;
        put_down(base, base, UINT64_MAX, log);
    }
}

}  // namespace lastref
