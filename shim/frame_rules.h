// How to step from one frame to its caller, read from the `.eh_frame` of the code.
//
// A rule holds for one program counter and needs three registers only: the pc, the stack pointer
// and the frame pointer. That covers what compilers emit for code that calls functions: a
// canonical frame address (CFA) at a distance from rsp or rbp, or kept in memory near rbp (stack
// realignment), the return address just below it, and rbp saved near the CFA. Whatever needs more
// is told as kNone, and the walk goes on by frame pointers with checked bounds, or ends.
//
// The tables are found by glibc's _dl_find_object (2.35), which takes no lock and may be called in
// signal handlers and while another thread is inside dlopen. Rules are cached by pc in a table
// that all threads share without locks. The module epoch is part of an entry: after a dlclose
// nothing cached before is used.
//
// Sources: DWARF 5, section 6.4; Linux Standard Base 5.0, 10.6 (.eh_frame, .eh_frame_hdr); System V
// ABI x86-64, 3.7 (register numbers).
#ifndef LASTREF_SHIM_FRAME_RULES_H
#define LASTREF_SHIM_FRAME_RULES_H

#include <stdint.h>

namespace lastref {

enum class CfaKind : uint8_t {
    kNone = 0,      // no rule: try the frame pointer
    kStackPointer,  // CFA = sp + cfa_offset
    kFramePointer,  // CFA = fp + cfa_offset
    kMemory,        // CFA = *(fp + cfa_offset)
    kSignal,        // a signal frame: the kernel saved the registers at sp
    kOutermost,     // the return address is undefined: the stack ends here
};
enum class FpKind : uint8_t {
    kSame = 0,        // the caller's fp is ours
    kAtCfa,           // saved at CFA + fp_offset
    kAtFramePointer,  // saved at fp + fp_offset
};

struct FrameRule {
    CfaKind cfa = CfaKind::kNone;
    FpKind fp = FpKind::kSame;
    int32_t cfa_offset = 0;
    int32_t fp_offset = 0;
};

// The rule for `pc`: the address of an instruction, so a return address less one. Any thread, any
// time, signal handlers too.
FrameRule frame_rule(uintptr_t pc);

// Forgets all cached rules: the module epoch has moved on.
void drop_frame_rules();

}  // namespace lastref

#endif  // LASTREF_SHIM_FRAME_RULES_H
