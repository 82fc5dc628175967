// The length and the addresses of an x86-64 instruction.
//
// No library decodes here: the shim needs this in its constructor, where loading a library would
// call an allocator that is not set up yet, and on machines that have none. The tests compare it
// with Zydis over whole libraries.
#ifndef LASTREF_SHIM_HOOK_DECODER_H
#define LASTREF_SHIM_HOOK_DECODER_H

#include <stddef.h>
#include <stdint.h>

namespace lastref::hooks {

struct Instruction {
    uint8_t length;
    enum Kind : uint8_t {
        kPlain,        // means the same at any address
        kRipRelative,  // a memory operand relative to the next instruction
        kJump,         // jmp rel
        kBranch,       // jcc rel
        kCall,         // call rel
        kJumpMemory,   // jmp *disp(%rip)
        kCallMemory,   // call *disp(%rip)
        kEnd,          // ret, jmp *..., ud2, hlt: control does not go on behind it
        kOther,        // loop, jrcxz, call *reg, ...: depends on its address in other ways
    } kind;
    uint8_t displacement_at;  // offset of the displacement or distance in the instruction
    uint8_t displacement_size;
    uint8_t condition;  // kBranch: low four bits of the opcode
    int64_t distance;   // from the next instruction
};

// The instruction at `code`. False where there is no whole one in `size` bytes, or none that 64-bit
// mode has. Operands are not checked further: some byte strings that a processor refuses pass.
bool decode(const uint8_t* code, size_t size, Instruction& instruction);

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOK_DECODER_H
