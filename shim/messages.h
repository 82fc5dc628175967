// What the shim says on the program's stderr, and when it may.
//
// A message must never get into what somebody reads as the program's own output, as in `man ...
// 2>&1 | wc -l` within a script. So only the first traced process of a tree speaks (its parent has
// not loaded this library; with LASTREF_VERBOSE=1 each), and not where its stderr is what its
// stdout is, unless that is a terminal or another device. Whatever was to be said is noted in the
// trace's header, spoken or not; `lastref run` and `lastref info` show it.
#ifndef LASTREF_SHIM_MESSAGES_H
#define LASTREF_SHIM_MESSAGES_H

#include <stdint.h>

namespace lastref {

// What a process remembers for that; a forked child inherits it.
struct MessageState {
    bool is_possible;  // stderr was there at the start, and fit to be spoken on
    bool said;         // the one line has been said
    uint64_t device, inode;
    int32_t parent;
};

// At the process' start.
void prepare_messages();

// One line on stderr, once per process tree, while stderr is what it was at the start. The parts
// are joined.
void say(const char* message, const char* more = "", const char* and_more = "",
         const char* still_more = "");

// The same, however often.
void say_more(const char* message);

// Into the header what was said before there was one.
void note_said(const char* message, bool aloud);

}  // namespace lastref

#endif  // LASTREF_SHIM_MESSAGES_H
