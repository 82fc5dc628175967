// One record's bytes to an Event: the coding rules of trace_format.h, run on its kFields table.
//
// Every op gets its own code from one template, so that decoding a malloc tests no field that a
// malloc does not have. Nothing here allocates, except for texts, which are rare.
#ifndef LASTREF_ANALYZER_READ_RECORD_DECODER_H
#define LASTREF_ANALYZER_READ_RECORD_DECODER_H

#include <string_view>
#include <vector>

#include "read/common_records.h"
#include "read/event.h"
#include "read/stack_nodes.h"
#include "read/string_pool.h"
#include "read/varint.h"
#include "trace_format.h"

namespace lastref {

struct DecodeState : Deltas {
    uint32_t thread = 0;
    const StackIds* stack_ids = &kNoStacks;
    std::vector<uint32_t> strings;  // index in the chunk -> id in the pool
    uint64_t stacks_missing = 0;    // events whose stack the trace does not hold

    // The stack that an event shows for the number that its record has.
    uint32_t known_stack(uint64_t coded) {
        const uint32_t known = stack_ids->of(coded);
        if (known == 0 && coded >= trace::kFirstStack) [[unlikely]]
            ++stacks_missing;
        return known;
    }
};

class RecordDecoder {
public:
    explicit RecordDecoder(StringPool& pool) : pool_(pool) {}

    // Decodes the record at `at` into `event` and returns the next record's place, or nullptr
    // for a record that is impossible. A result beyond `end` means that the record was cut;
    // kDecodePadding bytes after `end` must be readable. `event` is overwritten as a whole.
    const uint8_t* decode(const uint8_t* at, const uint8_t* end, DecodeState& state, Event& event) {
        using trace::Op;
        const uint8_t head = *at;
        event = Event{};
        event.op = static_cast<Op>(head & trace::kOpMask);
        switch (event.op) {
            case Op::kMalloc:
                return fields<Op::kMalloc>(at, end, state, event);
            case Op::kCalloc:
                return fields<Op::kCalloc>(at, end, state, event);
            case Op::kMemalign:
                return fields<Op::kMemalign>(at, end, state, event);
            case Op::kRealloc:
                return fields<Op::kRealloc>(at, end, state, event);
            case Op::kReallocBegin:
                return fields<Op::kReallocBegin>(at, end, state, event);
            case Op::kFree:
                return fields<Op::kFree>(at, end, state, event);
            case Op::kFailed:
                return fields<Op::kFailed>(at, end, state, event);
            case Op::kMmap:
                return fields<Op::kMmap>(at, end, state, event);
            case Op::kMunmap:
                return fields<Op::kMunmap>(at, end, state, event);
            case Op::kMunmapFailed:
                return fields<Op::kMunmapFailed>(at, end, state, event);
            case Op::kMremap:
                return fields<Op::kMremap>(at, end, state, event);
            case Op::kMremapBegin:
                return fields<Op::kMremapBegin>(at, end, state, event);
            case Op::kBreak:
                return fields<Op::kBreak>(at, end, state, event);
            case Op::kCreate:
                return fields<Op::kCreate>(at, end, state, event);
            case Op::kRetain:
                return fields<Op::kRetain>(at, end, state, event);
            case Op::kRelease:
                return fields<Op::kRelease>(at, end, state, event);
            case Op::kTouch:
                return fields<Op::kTouch>(at, end, state, event);
            case Op::kCount:
                return fields<Op::kCount>(at, end, state, event);
            case Op::kMove:
                return fields<Op::kMove>(at, end, state, event);
            case Op::kDestroy:
                return fields<Op::kDestroy>(at, end, state, event);
            case Op::kMark:
                return fields<Op::kMark>(at, end, state, event);
            case Op::kFork:
                return fields<Op::kFork>(at, end, state, event);
            case Op::kExec:
                return fields<Op::kExec>(at, end, state, event);
            case Op::kExit:
                return fields<Op::kExit>(at, end, state, event);
            case Op::kString:
                return fields<Op::kString>(at, end, state, event);
            case Op::kThread:
                return fields<Op::kThread>(at, end, state, event);
            case Op::kThreadInfo:
                return fields<Op::kThreadInfo>(at, end, state, event);
            case Op::kLoad:
                return fields<Op::kLoad>(at, end, state, event);
            case Op::kUnload:
                return fields<Op::kUnload>(at, end, state, event);
            case Op::kCounted:
                return fields<Op::kCounted>(at, end, state, event);
            case Op::kHook:
                return fields<Op::kHook>(at, end, state, event);
            default:
                return nullptr;
        }
    }

    // The second text of the last record that has one (a module's build-id, raw bytes).
    std::string_view second_text() const { return second_text_; }

private:
    static void take_address(uint64_t coded, bool bytes, DecodeState& state, uint64_t& to) {
        const auto delta = static_cast<uint64_t>(unzigzag(coded));
        state.address += bytes ? delta : delta * 16;
        to = state.address;
    }

    static const uint8_t* take_text(const uint8_t* at, const uint8_t* end, std::string_view& text) {
        uint64_t length = 0;
        at = read_varint(at, length);
        if (at == nullptr || at > end || length > trace::kMaxText ||
            length > static_cast<uint64_t>(end - at)) {
            return nullptr;
        }
        text = {reinterpret_cast<const char*>(at), static_cast<size_t>(length)};
        return at + length;
    }

    template <trace::Op op>
    const uint8_t* fields(const uint8_t* at, const uint8_t* end, DecodeState& state, Event& event) {
        using namespace trace;
        constexpr uint16_t has = kFields[static_cast<uint8_t>(op)];
        const uint8_t flags = *at++;
        uint64_t number = 0;
        if constexpr (has & fTime) {
            if ((at = read_varint(at, number)) == nullptr) return nullptr;
            if (number > UINT64_MAX - state.ticks) return nullptr;
            state.ticks += number;
        }
        event.ticks = state.ticks;
        event.thread = state.thread;
        if constexpr (has & fAddress) {
            if ((at = read_varint(at, number)) == nullptr) return nullptr;
            take_address(number, flags & kByteAddress, state, event.address);
        }
        if constexpr (has & fOther) {
            if ((at = read_varint(at, number)) == nullptr) return nullptr;
            take_address(number, flags & kByteAddress, state, event.other);
        }
        if constexpr (has & fSize) {
            if ((at = read_varint(at, event.size)) == nullptr) return nullptr;
        }
        if constexpr (has & fOtherSize) {
            if ((at = read_varint(at, event.other_size)) == nullptr) return nullptr;
        }
        if constexpr (has & fValue) {
            if ((at = read_varint(at, number)) == nullptr) return nullptr;
            event.value = unzigzag(number);
        }
        if constexpr (has & fDetail) {
            if ((at = read_varint(at, number)) == nullptr || number > UINT32_MAX) return nullptr;
            event.detail = static_cast<uint32_t>(number);
        }
        if constexpr (has & fString) {
            if ((at = read_varint(at, number)) == nullptr) return nullptr;
            if (number >= state.strings.size()) return nullptr;
            event.string = state.strings[number];
        }
        if constexpr (has & fText) {
            std::string_view text;
            if ((at = take_text(at, end, text)) == nullptr) return nullptr;
            event.string = pool_.intern(text);
        }
        if constexpr (has & fText2) {
            if ((at = take_text(at, end, second_text_)) == nullptr) return nullptr;
        }
        if constexpr (has & fStack) {
            if (!(flags & kNoStack)) {
                if (!(flags & kSameStack)) {
                    if ((at = read_varint(at, number)) == nullptr) return nullptr;
                    state.stack += static_cast<uint64_t>(unzigzag(number));
                    if (state.stack > UINT32_MAX) return nullptr;
                }
                event.stack = state.known_stack(state.stack);
            }
        }
        return at;
    }

    StringPool& pool_;
    std::string_view second_text_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_RECORD_DECODER_H
