// The records of one log in their order, chunk after chunk.
//
// Holds one window of the file, not the log: memory does not grow with the trace. Records that
// only serve decoding (kString, kThread) are consumed here. A record that can't be is damage:
// the rest of its chunk is given up, the next chunk goes on.
#ifndef LASTREF_ANALYZER_READ_LOG_CURSOR_H
#define LASTREF_ANALYZER_READ_LOG_CURSOR_H

#include <cstdint>
#include <memory>
#include <span>

#include "read/byte_source.h"
#include "read/chunk_index.h"
#include "read/damage.h"
#include "read/event.h"
#include "read/record_decoder.h"
#include "read/stack_nodes.h"
#include "read/string_pool.h"

namespace lastref {

class LogCursor {
public:
    // All references must outlive the cursor.
    LogCursor(const ByteSource& bytes, const Log& log, const StackNodes& stacks,
              StringPool& strings, DamageList& damage);

    // Decodes the next events into `to`, as many as it takes; fewer only at the end of the log.
    size_t decode(std::span<Event> to);

    // The second text of the last decoded event: see RecordDecoder.
    std::string_view second_text() const { return decoder_.second_text(); }
    uint64_t stacks_missing() const { return state_.stacks_missing; }
    const Log& log() const { return log_; }

private:
    static constexpr size_t kWindow = 128 * 1024;

    size_t decode_common_records(std::span<Event> to);
    bool decode_record(Event& event);
    bool more();
    bool next_chunk();
    void fill();
    void give_up_chunk(const char* why);
    void take_definition(const Event& event);

    const ByteSource& bytes_;
    const Log& log_;
    DamageList& damage_;
    RecordDecoder decoder_;
    DecodeState state_;
    // [at_, end_) are valid bytes of the chunk; from refill_at_ on a record might not be whole.
    const uint8_t* at_ = nullptr;
    const uint8_t* end_ = nullptr;
    const uint8_t* refill_at_ = nullptr;
    size_t chunk_ = 0;       // index of the next chunk to open
    uint64_t file_at_ = 0;   // file offset of end_
    uint64_t file_end_ = 0;  // of the chunk's last valid byte + 1
    std::unique_ptr<uint8_t[]> window_;
    size_t window_size_ = 0;  // without padding
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_LOG_CURSOR_H
