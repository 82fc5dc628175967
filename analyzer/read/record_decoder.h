// One record's bytes to an Event: the coding rules of trace_format.h, run on its kFields table.
//
// Every op gets its own code from one template, so that decoding a malloc tests no field that a
// malloc does not have. Nothing here allocates, except for texts, which are rare.
#ifndef LASTREF_ANALYZER_READ_RECORD_DECODER_H
#define LASTREF_ANALYZER_READ_RECORD_DECODER_H

#include <array>
#include <string_view>
#include <utility>
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
        const uint8_t head = *at;
        event = Event{};
        event.op = static_cast<trace::Op>(head & trace::kOpMask);
        return kDecoders[head & trace::kOpMask](*this, at, end, state, event);
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

    using Decoder = const uint8_t* (*)(RecordDecoder&, const uint8_t* at, const uint8_t* end,
                                       DecodeState&, Event&);

    template <trace::Op op>
    static const uint8_t* fields(RecordDecoder& decoder, const uint8_t* at, const uint8_t* end,
                                 DecodeState& state, Event& event) {
        using namespace trace;
        if constexpr (op == Op::kInvalid) return nullptr;
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
            event.string = decoder.pool_.intern(text);
        }
        if constexpr (has & fText2) {
            if ((at = take_text(at, end, decoder.second_text_)) == nullptr) return nullptr;
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

    template <size_t... ops>
    static constexpr std::array<Decoder, sizeof...(ops)> decoders(std::index_sequence<ops...>) {
        return {&fields<static_cast<trace::Op>(ops)>...};
    }
    static const std::array<Decoder, trace::kOpMask + 1> kDecoders;

    StringPool& pool_;
    std::string_view second_text_;
};

// Every op that a record's first byte can name.
static_assert(static_cast<size_t>(trace::Op::kOpCount) == trace::kOpMask + 1);
inline constexpr std::array<RecordDecoder::Decoder, trace::kOpMask + 1> RecordDecoder::kDecoders =
    RecordDecoder::decoders(std::make_index_sequence<trace::kOpMask + 1>());

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_RECORD_DECODER_H
