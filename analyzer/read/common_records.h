// The records that make up nearly all of a trace, decoded without a branch on what their bytes are.
//
// A record that has a time, an address and no more than a size and a stack besides is two to four
// numbers after its first byte. How long each number is changes from record to record, so testing
// byte after byte is one wrong guess of the processor after the other. Here the ends of all numbers
// are found at once: they are the bytes whose top bit is clear among the 16 behind the first one.
//
// Which ops qualify follows from trace::kFields. Records with longer numbers than usual, or with
// errors, are left to RecordDecoder, which decodes every record and knows what is damage.
#ifndef LASTREF_ANALYZER_READ_COMMON_RECORDS_H
#define LASTREF_ANALYZER_READ_COMMON_RECORDS_H

#include <emmintrin.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "read/event.h"
#include "read/varint.h"
#include "trace_format.h"

namespace lastref {

// The values that deltas refer to, after the last decoded record of a chunk.
struct Deltas {
    uint64_t ticks = 0;
    uint64_t address = 0;
    uint64_t stack = 0;
};

namespace common_records {

// The layout that a record's first byte gives. Masks are all ones or zero, so that absent fields
// are masked and not branched around.
struct Shape {
    uint32_t size = 0;       // mask: there is a size
    uint32_t stack = 0;      // mask: there is a stack number
    uint32_t has_stack = 0;  // mask: the event has a stack, the number's or the one before
    uint8_t shift = 0;       // of the address
    uint16_t rare = 1;       // not of the common kind
};
static_assert(sizeof(Shape) == 16);

constexpr Shape shape_of(uint8_t head) {
    using namespace trace;
    const uint8_t op = head & kOpMask;
    if (op >= static_cast<uint8_t>(Op::kOpCount)) return {};
    const uint16_t has = kFields[op];
    const uint16_t must = fTime | fAddress, may = fSize | fStack;
    if ((has & must) != must || (has & ~(must | may)) != 0) return {};
    const bool has_size = (has & fSize) != 0;
    const bool has_stack = (has & fStack) != 0 && (head & kNoStack) == 0;
    const bool has_number = has_stack && (head & kSameStack) == 0;
    Shape shape;
    shape.size = has_size ? UINT32_MAX : 0;
    shape.stack = has_number ? UINT32_MAX : 0;
    shape.has_stack = has_stack ? UINT32_MAX : 0;
    shape.shift = (head & kByteAddress) ? 0 : 4;
    shape.rare = 0;
    return shape;
}

constexpr std::array<Shape, 256> make_shapes() {
    std::array<Shape, 256> shapes{};
    for (unsigned head = 0; head < 256; ++head) shapes[head] = shape_of(static_cast<uint8_t>(head));
    return shapes;
}
alignas(64) inline constexpr std::array<Shape, 256> kShapes = make_shapes();

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
[[gnu::always_inline]] inline const uint8_t* decode_common(const uint8_t* at, const uint8_t* limit,
                                                           Deltas& deltas, Event& event) {
    using namespace common_records;
    const Shape shape = kShapes[*at];
    const uint8_t* const numbers = at + 1;
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(numbers));
    // Bits from 16 on are set, so that there are always four.
    uint32_t ends = ~static_cast<uint32_t>(_mm_movemask_epi8(bytes));
    const auto next_end = [&ends] {
        const auto end = static_cast<unsigned>(__builtin_ctz(ends)) + 1;
        ends &= ends - 1;
        return end;
    };
    const unsigned time_end = next_end(), address_end = next_end();
    const unsigned third_end = next_end(), fourth_end = next_end();
    const unsigned address_length = address_end - time_end;
    const unsigned third_length = third_end - address_end, fourth_length = fourth_end - third_end;
    const uint32_t both = shape.size & shape.stack, either = shape.size | shape.stack;
    const unsigned end = address_end + (third_length & either) + (fourth_length & both);
    // Bits where a length that counts is more than 4, 8 for the address, 16 for all of them.
    const unsigned unusual = ((time_end - 1) & ~3u) | ((address_length - 1) & ~7u) |
                             ((third_length - 1) & ~3u & either) |
                             ((fourth_length - 1) & ~3u & both) | ((end - 1) & ~15u) | shape.rare;
    if ((unusual != 0) | (numbers + end > limit)) [[unlikely]]
        return nullptr;

    const uint64_t ticks = deltas.ticks + short_number(numbers, time_end);
    const auto address_delta =
        static_cast<uint64_t>(unzigzag(long_number(numbers + time_end, address_length)));
    const uint32_t third = short_number(numbers + address_end, third_length);
    const uint32_t fourth = short_number(numbers + third_end, fourth_length);
    const uint32_t stack_number = third ^ ((third ^ fourth) & shape.size);
    const uint64_t stack =
        deltas.stack + static_cast<uint64_t>(unzigzag(stack_number & shape.stack));
    if ((ticks < deltas.ticks) | (stack > UINT32_MAX)) [[unlikely]]
        return nullptr;
    deltas.ticks = ticks;
    deltas.address += address_delta << shape.shift;
    deltas.stack = stack;

    event.ticks = ticks;
    event.address = deltas.address;
    event.other = 0;
    event.size = third & shape.size;
    event.other_size = 0;
    event.value = 0;
    event.detail = 0;
    event.stack = static_cast<uint32_t>(stack) & shape.has_stack;
    event.string = 0;
    event.op = static_cast<trace::Op>(*at & trace::kOpMask);
    return numbers + end;
}

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_COMMON_RECORDS_H
