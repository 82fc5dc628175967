// What the C library holds at the end: the words of its own variables that may be addresses of heap
// blocks, for the trace. A block that libc made for itself and still points to is what
// __libc_freeres() would free, and no leak; libc is asked by looking at its data, not by a list of
// functions.
#ifndef LASTREF_SHIM_LIBC_DATA_H
#define LASTREF_SHIM_LIBC_DATA_H

namespace lastref {

// At an orderly end, while recording. Takes the session's lock for each record of some 50 words.
void note_libc_data();

}  // namespace lastref

#endif  // LASTREF_SHIM_LIBC_DATA_H
