// One trace's heap as heaptrack's own data file, in text (file version 3, heaptrack 1.3 and newer):
// heaptrack_gui and heaptrack_print open it. Written event by event.
#ifndef LASTREF_ANALYZER_REPORT_HEAPTRACK_H
#define LASTREF_ANALYZER_REPORT_HEAPTRACK_H

#include <memory>

#include "report/streamed_report.h"

namespace lastref {

// malloc, calloc, memalign, realloc and free. Refcounted buffers lie in these blocks; mappings are
// not heap.
std::unique_ptr<StreamedReport> heaptrack_report(const StreamTarget& target);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_HEAPTRACK_H
