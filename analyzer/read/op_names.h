// The names of ops in `lastref events` and in histories (doc/reports.md, Event lines).
#ifndef LASTREF_ANALYZER_READ_OP_NAMES_H
#define LASTREF_ANALYZER_READ_OP_NAMES_H

#include <cstdint>
#include <string_view>

#include "read/event.h"
#include "read/op_table.h"
#include "read/string_pool.h"
#include "trace_format.h"

namespace lastref {

// "malloc", "retain", ...; "" for an op that only serves decoding or completes another one.
std::string_view op_name(trace::Op op);

// "the file could not be extended", ...: why events are missing.
std::string_view loss_name(trace::Loss loss);

// The meaning of a note of the header; empty for one that this version does not know.
std::string_view note_text(trace::Note note);
std::string_view level_name(trace::Level level);

// "malloc", "mmap", ...: the call that a kFailed record is about.
std::string_view failed_call_name(uint32_t call);

// The value of a field as text: a text of the trace, a call's name, "signal" or "status" of an
// exit's value. Empty for a number.
std::string_view field_text(const OpField& field, const Event& event, const StringPool& strings);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_OP_NAMES_H
