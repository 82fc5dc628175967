// The length and the addresses of an x86-64 instruction, by Zydis.
//
// Zydis is loaded with dlopen() when hooks are asked for, so that nobody else pays for it. Shared
// by the shim and the command (`lastref hooks check`). After load() nothing allocates or takes a
// lock.
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

class Decoder {
public:
    // False where Zydis can't be had; why() says why then.
    bool load();
    bool loaded() const { return decode_ != nullptr; }
    const char* why() const { return why_; }

    // False where there is no whole instruction in `size` bytes.
    bool decode(const uint8_t* code, size_t size, Instruction& instruction) const;

private:
    const char* why_ = "";
    int (*decode_)(const uint8_t*, size_t, Instruction&) = nullptr;
};

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOK_DECODER_H
