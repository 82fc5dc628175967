// One trace's heap as heaptrack's own data file, in text (file version 3, heaptrack 1.3 and newer):
// heaptrack_gui and heaptrack_print open it. Written event by event; memory grows with what is
// live.
#ifndef LASTREF_ANALYZER_REPORT_HEAPTRACK_H
#define LASTREF_ANALYZER_REPORT_HEAPTRACK_H

#include <functional>
#include <string_view>

#include "analyze/stack_names.h"
#include "read/trace_file.h"

namespace lastref {

// Called with each piece of the file; false ends the writing.
using Sink = std::function<bool(std::string_view)>;

// malloc, calloc, memalign, realloc and free. Refcounted buffers lie in these blocks; mappings are
// not heap. False where the sink said so.
bool write_heaptrack(TraceFile& trace, StackNames& names, const Sink& sink);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_HEAPTRACK_H
