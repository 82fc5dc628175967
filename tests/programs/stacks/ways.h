// How torture.cpp sets up what ways.cpp needs.
//
// SPDX-License-Identifier: Apache-2.0
#ifndef LASTREF_TESTS_WAYS_H
#define LASTREF_TESTS_WAYS_H

#include <initializer_list>

#include "torture.h"

// Once, before any run: signal handlers (SIGALRM's for a storm) and code without unwind tables.
void prepare_ways();

// Interrupts this thread, from its next allocation on, at each of so many instructions of the
// program by a signal whose handler allocates.
void step_through(int instructions);

// The stack of the thread that makes it.
class AlternateStack {
public:
    AlternateStack();
    ~AlternateStack();
    AlternateStack(const AlternateStack&) = delete;
    AlternateStack& operator=(const AlternateStack&) = delete;

private:
    void* memory_;
};

#endif  // LASTREF_TESTS_WAYS_H
