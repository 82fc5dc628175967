#include "analyze/lives_at.h"

#include <deque>
#include <utility>

#include "read/event_merger.h"
#include "read/op_names.h"

namespace lastref {
namespace {

using trace::Op;

struct Told {
    LifeHistory history;
    uint64_t address = 0, size = 0;
    uint32_t type = 0;
    int64_t count = 0;
    bool ended = false, freed = false;

    bool over() const { return freed || ended; }
};

class Follower {
public:
    explicit Follower(uint64_t address) : address_(address) {}

    void handle(const Event& event) {
        if (event.op == Op::kCreate && event.address == address_) return begin(event);
        if (event.op == Op::kMove && event.other == address_) return begin(event);
        if (lives_.empty()) return;
        Told& life = lives_.back();
        if (event.address != life.address) return;
        switch (event.op) {
            case Op::kRetain:
                ++life.count;
                break;
            case Op::kRelease:
                --life.count;
                break;
            case Op::kCount:
                life.count = event.value;
                break;
            case Op::kTouch:
            case Op::kMove:
            case Op::kDestroy:
                break;
            case Op::kFree:
                if (life.freed) return;
                life.freed = true;
                life.history.add(make_record(event, life.count));
                return;
            default:
                return;
        }
        if (life.freed) return;  // of whatever is there now
        life.history.add(make_record(event, life.count));
        if (event.op == Op::kDestroy || (life.count <= 0 && event.op != Op::kTouch)) {
            life.ended = true;
        }
        if (event.op == Op::kMove) life.address = event.other;
    }

    const std::deque<Told>& lives() const { return lives_; }

private:
    void begin(const Event& event) {
        if (event.op == Op::kMove && !lives_.empty() && !lives_.back().over() &&
            lives_.back().address == event.address) {
            return;  // back where it was
        }
        Told life;
        life.address = address_;
        life.size = event.size;
        life.type = event.op == Op::kCreate ? event.string : 0;
        life.count = 1;
        HistoryRecord record = make_record(event, life.count);
        record.string = 0;
        life.history.add(record);
        lives_.push_back(std::move(life));
        if (lives_.size() > kMostLivesAt) lives_.pop_front();
    }

    const uint64_t address_;
    std::deque<Told> lives_;
};

}  // namespace

HistoryEvent history_event(const HistoryRecord& record, TraceFile& trace, StackNames& names) {
    HistoryEvent event;
    event.op = op_name(record.operation());
    event.time_ns = trace.to_ns(record.ticks);
    event.thread = record.thread;
    event.count = record.count;
    event.hint = trace.strings()[record.string];
    event.stack = names.stack(record.stack);
    // For a life, a realloc means that its memory ended there.
    if (record.operation() == Op::kReallocBegin) event.op = "realloc";
    return event;
}

std::vector<LifeAt> lives_at(uint64_t address, TraceFile& trace, FrameSource& frames) {
    Follower follower(address);
    EventMerger merger(trace);
    while (const Event* const event = merger.next()) follower.handle(*event);
    StackNames names(trace.stacks(), frames);
    std::vector<LifeAt> lives;
    for (auto told = follower.lives().rbegin(); told != follower.lives().rend(); ++told) {
        LifeAt life;
        life.buffer = address;
        life.size = told->size;
        life.type = trace.strings()[told->type];
        life.end = told->ended ? "ended" : told->freed ? "memory freed" : "live";
        for (const HistoryRecord& record : told->history.in_order()) {
            life.events.push_back(history_event(record, trace, names));
        }
        life.events_left_out = told->history.left_out();
        lives.push_back(std::move(life));
    }
    return lives;
}

}  // namespace lastref
