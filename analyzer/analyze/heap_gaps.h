// Signs that a part of the heap was used unseen: what the events of the rest show of it.
//
// A program has other ways to its heap than the functions that the shim stands before: libraries in
// a namespace of their own (dlmopen), functions that were looked up in the C library itself,
// entries as __libc_malloc. Blocks that only one half of the program's calls show seem to be
// leaked, or freed twice. So no verdict on heap blocks is drawn where any of these is found.
#ifndef LASTREF_ANALYZER_ANALYZE_HEAP_GAPS_H
#define LASTREF_ANALYZER_ANALYZE_HEAP_GAPS_H

#include <cstdint>
#include <string>

namespace lastref {

class TraceFile;

struct HeapGaps {
    uint64_t unseen_allocations = 0;  // frees of blocks that were not seen to be allocated
    uint64_t unseen_frees = 0;        // blocks whose address was handed out again before their free
    uint64_t second_frees = 0;        // second frees whose address lived on as if there was one
};

// What of the gaps means that the heap was seen in part; nothing where that is not so, or not known
// because events are missing (`whole` false) or the trace began late (`from_start` false).
HeapGaps telling_gaps(const HeapGaps& gaps, const TraceFile& trace, bool from_start, bool whole);

// 'the heap was seen in part: ...'; empty where there are no gaps.
std::string gaps_text(const HeapGaps& gaps);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_HEAP_GAPS_H
