#include "analyze/heap_gaps.h"

#include <algorithm>
#include <string_view>

#include "analyze/runtime_blocks.h"
#include "read/trace_file.h"

namespace lastref {
namespace {

// glibc ends a program that frees a block twice, unless its caches hide the second free, and then
// the block is handed out twice. Other allocators let it pass.
bool looks_out_for_double_frees(const TraceFile& trace) {
    constexpr uint32_t kAnother = trace::kNoteOwnMalloc | trace::kNoteHeapByEntries;
    if ((trace.header().notes & kAnother) != 0) return false;
    return std::none_of(trace.modules().begin(), trace.modules().end(),
                        [](const ModuleRecord& module) { return is_allocator(module.path); });
}

void add(std::string& text, uint64_t count, std::string_view one, std::string_view many) {
    if (count == 0) return;
    text += (text.empty() ? "" : ", ") + std::to_string(count) + ' ';
    text += count == 1 ? one : many;
}

}  // namespace

HeapGaps telling_gaps(const HeapGaps& gaps, const TraceFile& trace, bool from_start, bool whole) {
    HeapGaps telling;
    if (!whole) return telling;
    telling.unseen_frees = gaps.unseen_frees;
    if (!from_start || trace.header().sample_bytes != 0) return telling;
    const bool some_are_older = (trace.header().notes & trace::kNoteHeapByEntries) != 0;
    if (!some_are_older) telling.unseen_allocations = gaps.unseen_allocations;
    if (looks_out_for_double_frees(trace)) telling.second_frees = gaps.second_frees;
    return telling;
}

std::string gaps_text(const HeapGaps& gaps) {
    std::string signs;
    add(signs, gaps.unseen_allocations, "block freed that was not seen to be allocated",
        "blocks freed that were not seen to be allocated");
    add(signs, gaps.unseen_frees, "address handed out again before its free was seen",
        "addresses handed out again before their free was seen");
    add(signs, gaps.second_frees, "second free that the C library had no objection to",
        "second frees that the C library had no objection to");
    if (signs.empty()) return signs;
    return "the heap was seen in part: " + signs +
           "; another way to the heap is in use (a plug-in loaded with RTLD_DEEPBIND, dlmopen, a "
           "look-up in the C library itself), and no heap block is called leaked or freed twice";
}

}  // namespace lastref
