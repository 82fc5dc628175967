// A profile for pprof, Pyroscope and Parca: google/pprof's proto/profile.proto, compressed by gzip.
#ifndef LASTREF_ANALYZER_REPORT_PPROF_H
#define LASTREF_ANALYZER_REPORT_PPROF_H

#include <string>

#include "analyze/findings.h"

namespace lastref {

// Needs `report.usage`. Sample types: alloc_objects, alloc_space, inuse_objects, inuse_space (at
// the end; the names that Go's heap profiles made common), peak_objects and peak_space. Each sample
// has the label 'type'. Mappings have build-ids and stand at addresses of the profile's own, one
// behind the other, so that profiles of many processes merge; an address less its mapping's start
// is the module's ELF address. Names are filled in: nothing needs to be symbolized later.
std::string render_pprof(const Report& report);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_PPROF_H
