// LASTREF_FOLLOW_FORK=0 leaves children untraced. A forked child knows that by itself; a program
// that a child executes loads the shim again, and has to find out who started it.
#ifndef LASTREF_SHIM_PARENT_PROCESS_H
#define LASTREF_SHIM_PARENT_PROCESS_H

namespace lastref {

// True where the parent was itself started under the shim with LASTREF_FOLLOW_FORK=0. False where
// the parent has ended, or /proc does not say. Makes system calls; at a program's start only.
bool parent_follows_no_children();

// Whether the parent has loaded this library; true also where that can't be looked up.
bool parent_is_traced();

}  // namespace lastref

#endif  // LASTREF_SHIM_PARENT_PROCESS_H
