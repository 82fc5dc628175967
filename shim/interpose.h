// What every interposer needs: its visibility, and the place that called it.
#ifndef LASTREF_SHIM_INTERPOSE_H
#define LASTREF_SHIM_INTERPOSE_H

#include "stack_capture.h"

#define LASTREF_INTERPOSE __attribute__((visibility("default"), used))

// The program's frame that called the function in which this stands.
#define LASTREF_CALLER ::lastref::caller_of(__builtin_frame_address(0))

#endif  // LASTREF_SHIM_INTERPOSE_H
