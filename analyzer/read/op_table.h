// What is known of each op besides the fields of its record (trace::kFields): its name, and how its
// own fields are called and shown. Record decoding, op names, `lastref events` and the database all
// follow from these two tables: a new op is a row in each.
#ifndef LASTREF_ANALYZER_READ_OP_TABLE_H
#define LASTREF_ANALYZER_READ_OP_TABLE_H

#include <array>
#include <cstdint>
#include <string_view>

#include "trace_format.h"

namespace lastref {

// How the value of a field is shown. Time, thread, address, size and stack are shown the same way
// for every op that has them.
enum class Shown : uint8_t {
    kNothing,
    kNumber,
    kAddress,
    kText,
    kProtection,    // of fDetail, the lowest four bits
    kMapFlags,      // of fDetail, the others
    kFailedCall,    // of fDetail, the call's name
    kCountIfKnown,  // fValue, where fDetail has trace::kCountKnown
    kExitValue,     // fValue: "signal" or "status", by fDetail
    kMunmapCall,    // no field: the call is munmap
};

struct OpField {
    trace::Field field{};
    std::string_view name;
    Shown shown = Shown::kNothing;
};

struct OpRow {
    trace::Op op = trace::Op::kInvalid;
    std::string_view name;  // empty: serves decoding only
    std::array<OpField, 3> fields = {};
    std::string_view event_name = {};  // of an event, where it is another one
};

inline constexpr auto kOps = [] {
    using namespace trace;
    using enum Op;
    using enum Shown;
    return std::array<OpRow, static_cast<size_t>(kOpCount)>{{
        {kInvalid, ""},
        {kMalloc, "malloc"},
        {kCalloc, "calloc"},
        {kMemalign, "memalign", {{{fOtherSize, "alignment", kNumber}}}},
        {kRealloc, "realloc", {{{fOther, "from", kAddress}}}},
        {kReallocBegin, "realloc-begin"},
        {kFree, "free"},
        {kFailed, "failed", {{{fDetail, "call", kFailedCall}}}},
        {kMmap,
         "mmap",
         {{{fValue, "fd", kNumber},
           {fDetail, "prot", kProtection},
           {fDetail, "flags", kMapFlags}}}},
        {kMunmap, "munmap"},
        {kMunmapFailed, "munmap-failed", {{{fAddress, "call", kMunmapCall}}}, "failed"},
        {kMremap, "mremap", {{{fOther, "from", kAddress}, {fOtherSize, "old_size", kNumber}}}},
        {kMremapBegin, "mremap-begin"},
        {kBreak, "break", {{{fValue, "increment", kNumber}}}},
        {kCreate, "create", {{{fString, "type", kText}}}},
        {kRetain, "retain"},
        {kRelease, "release"},
        {kTouch, "touch", {{{fString, "hint", kText}}}},
        {Op::kCount, "count", {{{fValue, "count", kNumber}}}},
        {kMove, "move", {{{fOther, "to", kAddress}}}},
        {kDestroy, "destroy"},
        {kMark, "mark", {{{fString, "hint", kText}}}},
        {kFork, "fork", {{{fValue, "child", kNumber}}}},
        {kExec, "exec", {{{fText, "path", kText}}}},
        {kExit, "exit", {{{fValue, "", kExitValue}}}},
        {kString, ""},
        {kThread, ""},
        {kThreadInfo, "thread", {{{fValue, "tid", kNumber}, {fText, "name", kText}}}},
        {kLoad,
         "load",
         {{{fOther, "bias", kAddress}, {fValue, "module", kNumber}, {fText, "path", kText}}}},
        {kUnload, "unload", {{{fValue, "module", kNumber}}}},
        {kCounted, "counted", {{{fString, "type", kText}, {fValue, "count", kCountIfKnown}}}},
        {kHook, "hook", {{{fText, "subject", kText}, {fValue, "value", kNumber}}}},
    }};
}();

constexpr bool ops_are_in_their_places() {
    for (size_t i = 0; i < kOps.size(); ++i) {
        if (static_cast<size_t>(kOps[i].op) != i) return false;
        for (const OpField& one : kOps[i].fields) {
            if (one.shown != Shown::kNothing && (trace::kFields[i] & one.field) == 0) return false;
        }
    }
    return true;
}
static_assert(ops_are_in_their_places());

constexpr const OpRow& op_row(trace::Op op) {
    return kOps[static_cast<size_t>(op) % kOps.size()];
}

// As in the outputs that have a line or a row for each event.
constexpr std::string_view event_name(trace::Op op) {
    const OpRow& row = op_row(op);
    return row.event_name.empty() ? row.name : row.event_name;
}

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_OP_TABLE_H
