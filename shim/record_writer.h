// Turns events into bytes. The order of fields comes from trace::kFields, which the reader runs on
// too, so that the two can't drift apart; everything here is decided at compile time per op.
#ifndef LASTREF_SHIM_RECORD_WRITER_H
#define LASTREF_SHIM_RECORD_WRITER_H

#include <stdint.h>
#include <atomic>

#include "coding.h"
#include "thread_log.h"
#include "trace_format.h"

namespace lastref {

struct Fields {
    uint64_t address = 0, other = 0, size = 0, other_size = 0;
    int64_t value = 0;
    uint32_t detail = 0;
    uint32_t string = 0;  // index in the log's chunk
    const char* text = nullptr;
    uint32_t text_size = 0;
    const void* text2 = nullptr;
    uint32_t text2_size = 0;
};

// Writes one record at the log's cursor and commits it. The log must have room: kRecordMargin and
// the texts. False where a signal handler's records took the log over meanwhile (see thread_log.h).
template <trace::Op op>
[[gnu::always_inline]] inline bool write_record(Log& log, uint64_t ticks, const Fields& fields,
                                                uint32_t stack) {
    using namespace trace;
    constexpr uint16_t has = kFields[static_cast<uint8_t>(op)];
    uint8_t* const begin = log.cursor;
    // A handler's records may have used up the room; a fork may have taken the log away.
    if (begin >= log.limit) [[unlikely]]
        return false;
    uint8_t* p = begin + 1;
    uint8_t flags = 0;
    uint64_t address = log.last_address;
    uint32_t last_stack = log.last_stack;
    uint64_t time = log.last_ticks;
    if constexpr (has & fTime) {
        if (ticks > time) {
            p = coding::put_varint(p, ticks - time);
            time = ticks;
        } else {
            *p++ = 0;
        }
    }
    if constexpr (has & (fAddress | fOther)) {
        const uint64_t first = (has & fAddress) ? fields.address : fields.other;
        uint64_t odd = (first - address) & 15;
        if constexpr ((has & fAddress) && (has & fOther)) odd |= (fields.other - first) & 15;
        if (odd != 0) flags |= kByteAddress;
        const auto put_address = [&](uint64_t value) {
            int64_t delta = static_cast<int64_t>(value - address);
            if (odd == 0) delta >>= 4;
            p = coding::put_any_svarint(p, delta);
            address = value;
        };
        if constexpr (has & fAddress) put_address(fields.address);
        if constexpr (has & fOther) put_address(fields.other);
    }
    if constexpr (has & fSize) p = coding::put_any_varint(p, fields.size);
    if constexpr (has & fOtherSize) p = coding::put_varint(p, fields.other_size);
    if constexpr (has & fValue) p = coding::put_svarint(p, fields.value);
    if constexpr (has & fDetail) p = coding::put_varint(p, fields.detail);
    if constexpr (has & fString) p = coding::put_varint(p, fields.string);
    if constexpr (has & fText) p = coding::put_text(p, fields.text, fields.text_size);
    if constexpr (has & fText2) p = coding::put_text(p, fields.text2, fields.text2_size);
    if constexpr (has & fStack) {
        if (stack == 0) {
            flags |= kNoStack;
        } else if (stack == last_stack) {
            flags |= kSameStack;
        } else {
            p = coding::put_any_svarint(
                p, static_cast<int64_t>(stack) - static_cast<int64_t>(last_stack));
            last_stack = stack;
        }
    }
    *begin = static_cast<uint8_t>(op) | flags;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (log.cursor != begin) return false;
    log.cursor = p;
    log.last_ticks = time;
    log.last_address = address;
    log.last_stack = last_stack;
    std::atomic_ref(log.chunk->committed)
        .store(static_cast<uint32_t>(p - log.payload()), std::memory_order_release);
    return true;
}

}  // namespace lastref

#endif  // LASTREF_SHIM_RECORD_WRITER_H
