// Whether the program was started inside a sandbox: under a seccomp filter that those around it do
// not have.
//
// Such a filter may kill for any system call that the loader has not made already, so a program
// that starts in one is not recorded, and nothing but open, read and close is called to find out.
// The filters of a container hold for all its processes, and refuse with an error: those are no
// reason. The number of the surroundings' filters is passed by `lastref run` in
// LASTREF_SECCOMP_FILTERS, or else read from process 1.
#ifndef LASTREF_SHIM_CONFINEMENT_H
#define LASTREF_SHIM_CONFINEMENT_H

#include "config.h"

namespace lastref {

// How many seccomp filters hold for a process, by its status file; at least 1 where one does (the
// number is there since Linux 5.9). False where that can't be read.
bool count_filters(const char* status_path, uint32_t& filters);

// For the start of the process, before any other system call of ours.
bool started_confined(const Config& config);

}  // namespace lastref

#endif  // LASTREF_SHIM_CONFINEMENT_H
