#include "hook_relocate.h"

#include <string.h>

namespace lastref::hooks {
namespace {

constexpr size_t kMostScanned = 64u << 10;
constexpr unsigned kLongestOutput = 20;  // of one instruction

bool fits_32(int64_t value) {
    return value == static_cast<int32_t>(value);
}

class Writer {
public:
    Writer(Relocated& result, uint64_t target) : result_(result), target_(target) {}

    uint64_t here() const { return target_ + result_.size; }
    void bytes(const void* bytes, unsigned size) {
        memcpy(result_.code + result_.size, bytes, size);
        result_.size = static_cast<uint8_t>(result_.size + size);
    }
    void byte(uint8_t value) { bytes(&value, 1); }
    void word(uint32_t value) { bytes(&value, 4); }
    // The four bytes of distance that end an instruction. False where it is too far.
    bool distance_to(uint64_t goal) {
        const auto distance = static_cast<int64_t>(goal - (here() + 4));
        word(static_cast<uint32_t>(distance));
        return fits_32(distance);
    }
    // What a call leaves on the stack, had it been made at the original place. Flags and registers
    // stay as they are.
    void push(uint64_t value) {
        byte(0x68);
        word(static_cast<uint32_t>(value));
        static constexpr uint8_t kStoreHigh[] = {0xc7, 0x44, 0x24, 0x04};  // movl $, 4(%rsp)
        bytes(kStoreHigh, sizeof(kStoreHigh));
        word(static_cast<uint32_t>(value >> 32));
    }

private:
    Relocated& result_;
    const uint64_t target_;
};

bool is_padding(const uint8_t* code, size_t size) {
    // int3, zeros, or nops of any length.
    for (size_t i = 0; i < size;) {
        if (code[i] == 0xcc || code[i] == 0x00 || code[i] == 0x90) {
            i++;
            continue;
        }
        Instruction one;
        if (!decode(code + i, 15, one)) return false;
        const uint8_t* at = code + i;
        while (*at == 0x66 || *at == 0x2e) at++;
        if (at[0] != 0x0f || at[1] != 0x1f) return false;
        i += one.length;
    }
    return true;
}

// Whether the function jumps back into bytes that the jump will cover.
const char* scan_for_jumps_into(const uint8_t* code, size_t size, unsigned covered) {
    if (size > kMostScanned) size = kMostScanned;
    for (size_t i = 0; i < size;) {
        Instruction one;
        if (!decode(code + i, size - i, one)) break;  // data, or the end of what we know
        i += one.length;
        if (one.kind != Instruction::kJump && one.kind != Instruction::kBranch &&
            one.kind != Instruction::kOther) {
            continue;
        }
        const auto to = static_cast<int64_t>(i) + one.distance;
        if (one.displacement_size != 0 && to >= 0 && to < static_cast<int64_t>(covered)) {
            return "the function jumps into its own first instructions";
        }
    }
    return nullptr;
}

// Whether an instruction seems to begin at `at`, which has `before` readable bytes in front of it.
// A decoder that starts anywhere soon falls into step with the code: most starts must meet `at`.
bool begins_instruction(const uint8_t* at, size_t before) {
    constexpr size_t kNearest = 16, kStarts = 16;
    if (before < kNearest + kStarts) return true;
    unsigned met = 0;
    for (size_t start = kNearest; start < kNearest + kStarts; start++) {
        size_t back = start;
        Instruction one;
        while (back != 0) {
            // Four bytes at `at` are readable too.
            const size_t length = decode(at - back, back + 4, one) ? one.length : 1;
            if (length > back) break;
            back -= length;
        }
        met += back == 0;
    }
    return met > kStarts / 2;
}

// Hand-written assembly lets functions share code: a neighbour may jump behind the first
// instruction. Looked for at every byte, since nobody says where the neighbours' instructions
// begin.
const char* scan_neighbours(const uint8_t* code, size_t size, size_t available, size_t before) {
    constexpr int64_t kAround = 16 << 10, kShortest = 130;
    const auto first = -static_cast<int64_t>(before);
    const auto last = static_cast<int64_t>(available) - 6;
    for (int64_t at = first > -kAround ? first : -kAround; at < kAround && at < last; at++) {
        const uint8_t opcode = code[at];
        unsigned length = 0;  // of a jump, if it is one
        if (opcode == 0xe9 || opcode == 0xe8)
            length = 5;
        else if (opcode == 0x0f && (code[at + 1] & 0xf0) == 0x80)
            length = 6;
        else if (at > -kShortest && at < kShortest &&
                 ((opcode & 0xf0) == 0x70 || opcode == 0xeb || (opcode & 0xfc) == 0xe0))
            length = 2;
        else
            continue;
        int32_t distance = static_cast<int8_t>(code[at + 1]);
        if (length != 2) memcpy(&distance, code + at + length - 4, sizeof(distance));
        const int64_t goal = at + length + distance;
        const bool own = at >= 0 && at < static_cast<int64_t>(size);
        if (goal > 0 && goal < static_cast<int64_t>(kJumpSize) && !own &&
            begins_instruction(code + at, static_cast<size_t>(at - first))) {
            return "a neighbour jumps into its first instructions";
        }
    }
    return nullptr;
}

const char* relocate_one(const Instruction& one, const uint8_t* code, uint64_t next, Writer& out) {
    constexpr const char* kTooFar = "an address in its first instructions is too far";
    const uint64_t goal = next + static_cast<uint64_t>(one.distance);
    switch (one.kind) {
        case Instruction::kPlain:
        case Instruction::kEnd:
            out.bytes(code, one.length);
            return nullptr;
        case Instruction::kRipRelative: {
            if (one.displacement_size != 4) return "an address of unusual size";
            // An immediate may follow the displacement.
            const unsigned after = one.length - one.displacement_at - 4u;
            out.bytes(code, one.displacement_at);
            const bool fits = out.distance_to(goal - after);
            out.bytes(code + one.displacement_at + 4, after);
            return fits ? nullptr : kTooFar;
        }
        case Instruction::kJump:
            out.byte(0xe9);
            return out.distance_to(goal) ? nullptr : kTooFar;
        case Instruction::kBranch:
            out.byte(0x0f);
            out.byte(static_cast<uint8_t>(0x80 | one.condition));
            return out.distance_to(goal) ? nullptr : kTooFar;
        case Instruction::kCall:
            out.push(next);
            out.byte(0xe9);
            return out.distance_to(goal) ? nullptr : kTooFar;
        case Instruction::kCallMemory:
            out.push(next);
            [[fallthrough]];
        case Instruction::kJumpMemory:
            out.byte(0xff);
            out.byte(0x25);
            return out.distance_to(goal) ? nullptr : kTooFar;
        case Instruction::kOther:
            break;
    }
    return "an instruction at its beginning depends on where it stands";
}

}  // namespace

const char* relocate_prologue(const uint8_t* code, size_t size, size_t available, size_t before,
                              uint64_t address, uint64_t target, Relocated& result) {
    result.size = result.covered = 0;
    Writer out(result, target);
    bool goes_on = true;
    while (result.covered < kJumpSize && goes_on) {
        Instruction one;
        const unsigned at = result.covered;
        if (at >= size || !decode(code + at, size - at, one)) {
            return "its first instructions can't be read";
        }
        if (result.size + kLongestOutput + kJumpSize > kMostRelocated) return "too long";
        const uint64_t next = address + at + one.length;
        // A jump to what is moved itself would come back into the middle of our jump.
        if (one.displacement_size != 0 && one.kind != Instruction::kRipRelative &&
            one.kind != Instruction::kCallMemory && one.kind != Instruction::kJumpMemory) {
            const uint64_t goal = next + static_cast<uint64_t>(one.distance);
            if (goal - address < kJumpSize) {
                return "the function jumps into its own first instructions";
            }
        }
        if (const char* reason = relocate_one(one, code + at, next, out)) return reason;
        result.covered = static_cast<uint8_t>(at + one.length);
        // After a call the function goes on behind it, in its old place.
        goes_on = one.kind != Instruction::kEnd && one.kind != Instruction::kJump &&
                  one.kind != Instruction::kJumpMemory && one.kind != Instruction::kCall &&
                  one.kind != Instruction::kCallMemory;
    }
    if (result.covered < kJumpSize) {
        // It ends before: what follows must be nobody's.
        if (size > result.covered &&
            !is_padding(code + result.covered, size - result.covered < kJumpSize - result.covered
                                                   ? size - result.covered
                                                   : kJumpSize - result.covered)) {
            return "too short";
        }
        if (available < kJumpSize ||
            !is_padding(code + result.covered, kJumpSize - result.covered)) {
            return "too short";
        }
    } else if (goes_on) {
        out.byte(0xe9);
        if (!out.distance_to(address + result.covered)) return "too far from free memory";
    }
    if (const char* reason = scan_for_jumps_into(
            code, size, result.covered < kJumpSize ? result.covered : kJumpSize)) {
        return reason;
    }
    return scan_neighbours(code, size, available, before);
}

}  // namespace lastref::hooks
