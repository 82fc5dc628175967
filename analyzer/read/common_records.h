// The records that make up nearly all of a trace, decoded without a branch on what their bytes are.
//
// A record that has a time, an address and no more than a size and a stack besides is two to four
// numbers after its first byte. How long each number is changes from record to record, so testing
// byte after byte is one wrong guess of the processor after the other. Here the ends of all numbers
// are found at once: they are the bytes whose top bit is clear among the 16 behind the first one.
//
// Which ops qualify follows from trace::kFields. What has longer numbers than usual, or is not
// right, is left to RecordDecoder, which decodes every record and knows what is damage.
#ifndef LASTREF_ANALYZER_READ_COMMON_RECORDS_H
#define LASTREF_ANALYZER_READ_COMMON_RECORDS_H

#include <emmintrin.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "read/event.h"
#include "read/varint.h"
#include "trace_format.h"

namespace lastref {

// What deltas refer to, as it stands after the last decoded record of a chunk.
struct Deltas {
    uint64_t ticks = 0;
    uint64_t address = 0;
    uint64_t stack = 0;
};

namespace common_records {

// What a record's first byte tells. All numbers are 0 or 1 but `shift`.
struct Shape {
    uint8_t common = 0;
    uint8_t size = 0;       // there is a size
    uint8_t stack = 0;      // there is a stack number
    uint8_t has_stack = 0;  // the event has a stack: the number's, or the one before
    uint8_t shift = 0;      // of the address
};

constexpr Shape shape_of(uint8_t head) {
    using namespace trace;
    const uint8_t op = head & kOpMask;
    if (op >= static_cast<uint8_t>(Op::kOpCount)) return {};
    const uint16_t has = kFields[op];
    const uint16_t must = fTime | fAddress, may = fSize | fStack;
    if ((has & must) != must || (has & ~(must | may)) != 0) return {};
    Shape shape;
    shape.common = 1;
    shape.size = (has & fSize) != 0;
    shape.has_stack = (has & fStack) != 0 && (head & kNoStack) == 0;
    shape.stack = shape.has_stack && (head & kSameStack) == 0;
    shape.shift = (head & kByteAddress) ? 0 : 4;
    return shape;
}

constexpr std::array<Shape, 256> make_shapes() {
    std::array<Shape, 256> shapes{};
    for (unsigned head = 0; head < 256; ++head) shapes[head] = shape_of(static_cast<uint8_t>(head));
    return shapes;
}
inline constexpr std::array<Shape, 256> kShapes = make_shapes();

// A number of 1 to 4 bytes, and one of 1 to 8: the bytes of others cut off, then the gaps that the
// continuation bits leave closed, in pairs, then in pairs of pairs.
inline uint32_t short_number(const uint8_t* at, unsigned length) {
    uint32_t word;
    std::memcpy(&word, at, sizeof(word));
    word &= UINT32_MAX >> (-8 * length & 31);
    word = (word & 0x007f007f) | (word & 0x7f007f00) >> 1;
    return (word & 0x00003fff) | (word & 0x3fff0000) >> 2;
}
inline uint64_t long_number(const uint8_t* at, unsigned length) {
    uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    word &= UINT64_MAX >> (-8 * length & 63);
    word = (word & 0x007f007f007f007f) | (word & 0x7f007f007f007f00) >> 1;
    word = (word & 0x00003fff00003fff) | (word & 0x3fff00003fff0000) >> 2;
    return (word & 0x000000000fffffff) | (word & 0x0fffffff00000000) >> 4;
}

}  // namespace common_records

// Decodes the record at `at` into `event`, all but its thread and log, and returns where the next
// one begins; nullptr, with nothing changed, if the record is not of the common kind or ends beyond
// `limit`. kDecodePadding bytes from `at` on must be readable. Event::stack is as the record has
// it.
inline const uint8_t* decode_common(const uint8_t* at, const uint8_t* limit, Deltas& deltas,
                                    Event& event) {
    using namespace common_records;
    const Shape shape = kShapes[*at];
    const uint8_t* const numbers = at + 1;
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(numbers));
    // Bits from 16 on are set, so that there are always four.
    uint32_t ends = ~static_cast<uint32_t>(_mm_movemask_epi8(bytes));
    const auto next_end = [&ends] {
        const auto end = static_cast<unsigned>(std::countr_zero(ends)) + 1;
        ends &= ends - 1;
        return end;
    };
    const unsigned time_end = next_end(), address_end = next_end();
    const unsigned third_end = next_end(), fourth_end = next_end();
    const unsigned third_length = third_end - address_end, fourth_length = fourth_end - third_end;
    const bool both = shape.size & shape.stack, either = shape.size | shape.stack;
    const unsigned end = both ? fourth_end : either ? third_end : address_end;
    const bool usual = shape.common & (time_end <= 4) & (address_end - time_end <= 8) &
                       ((third_length <= 4) | !either) & ((fourth_length <= 4) | !both) &
                       (end <= 16) & (numbers + end <= limit);
    if (!usual) [[unlikely]]
        return nullptr;

    const uint64_t ticks = deltas.ticks + short_number(numbers, time_end);
    const auto address_delta =
        static_cast<uint64_t>(unzigzag(long_number(numbers + time_end, address_end - time_end)));
    const uint32_t third = short_number(numbers + address_end, third_length);
    const uint32_t fourth = short_number(numbers + third_end, fourth_length);
    const uint32_t stack_number = both ? fourth : third;
    const uint64_t stack =
        deltas.stack + (shape.stack ? static_cast<uint64_t>(unzigzag(stack_number)) : 0);
    if ((ticks < deltas.ticks) | (stack > UINT32_MAX)) [[unlikely]]
        return nullptr;
    deltas.ticks = ticks;
    deltas.address += address_delta << shape.shift;
    deltas.stack = stack;

    event.ticks = ticks;
    event.address = deltas.address;
    event.other = 0;
    event.size = shape.size ? third : 0;
    event.other_size = 0;
    event.value = 0;
    event.detail = 0;
    event.stack = shape.has_stack ? static_cast<uint32_t>(stack) : 0;
    event.string = 0;
    event.op = static_cast<trace::Op>(*at & trace::kOpMask);
    return numbers + end;
}

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_COMMON_RECORDS_H
