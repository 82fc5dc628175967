#include "hook_decoder.h"

#include <string.h>

namespace lastref::hooks {
namespace {

// What follows an opcode. Sources: Intel SDM volume 2, appendix A (opcode maps) and 2.1 to 2.7
// (encodings); AMD APM volume 3, appendix A, for SSE4a and 3DNow.
enum Form : uint8_t {
    kNone = 0,
    kModRm = 1 << 0,
    kImm8 = 1 << 1,
    kImm16 = 1 << 2,
    kImmZ = 1 << 3,     // 4 bytes, 2 with an operand-size prefix
    kImmV = 1 << 4,     // 8 with REX.W, else as kImmZ
    kAddress = 1 << 5,  // 8 bytes, 4 with an address-size prefix
    kRelative = 1 << 6,
    kBad = 1 << 7,
};

constexpr uint8_t M = kModRm, I = kImm8, Z = kImmZ, R = kRelative, X = kBad, MI = M | I, MZ = M | Z,
                  RI = R | I, RZ = R | Z;

// One byte of opcode. Prefixes and escapes do not get here.
constexpr uint8_t kOneByte[256] = {
    M,          M,        M,        M,        I,     Z,     X,     X,
    M,          M,        M,        M,        I,     Z,     X,     X,  // 00
    M,          M,        M,        M,        I,     Z,     X,     X,
    M,          M,        M,        M,        I,     Z,     X,     X,  // 10
    M,          M,        M,        M,        I,     Z,     X,     X,
    M,          M,        M,        M,        I,     Z,     X,     X,  // 20
    M,          M,        M,        M,        I,     Z,     X,     X,
    M,          M,        M,        M,        I,     Z,     X,     X,  // 30
    X,          X,        X,        X,        X,     X,     X,     X,
    X,          X,        X,        X,        X,     X,     X,     X,  // 40: REX
    0,          0,        0,        0,        0,     0,     0,     0,
    0,          0,        0,        0,        0,     0,     0,     0,  // 50
    X,          X,        X,        M,        X,     X,     X,     X,
    Z,          MZ,       I,        MI,       0,     0,     0,     0,  // 60
    RI,         RI,       RI,       RI,       RI,    RI,    RI,    RI,
    RI,         RI,       RI,       RI,       RI,    RI,    RI,    RI,  // 70
    MI,         MZ,       X,        MI,       M,     M,     M,     M,
    M,          M,        M,        M,        M,     M,     M,     M,  // 80
    0,          0,        0,        0,        0,     0,     0,     0,
    0,          0,        X,        0,        0,     0,     0,     0,  // 90
    kAddress,   kAddress, kAddress, kAddress, 0,     0,     0,     0,
    I,          Z,        0,        0,        0,     0,     0,     0,  // a0
    I,          I,        I,        I,        I,     I,     I,     I,
    kImmV,      kImmV,    kImmV,    kImmV,    kImmV, kImmV, kImmV, kImmV,  // b0
    MI,         MI,       kImm16,   0,        X,     X,     MI,    MZ,
    kImm16 | I, 0,        kImm16,   0,        0,     I,     X,     0,  // c0
    M,          M,        M,        M,        X,     X,     X,     0,
    M,          M,        M,        M,        M,     M,     M,     M,  // d0
    RI,         RI,       RI,       RI,       I,     I,     I,     I,
    RZ,         RZ,       X,        RI,       0,     0,     0,     0,  // e0
    X,          0,        X,        X,        0,     0,     M,     M,
    0,          0,        0,        0,        0,     0,     M,     M,  // f0
};

// 0F and one byte more; VEX and EVEX map 1 follow it, too.
constexpr uint8_t kTwoBytes[256] = {
    M,  M,  M,  M,  X,  0,  0,  0,  0,  0,  X,  0,  X,  M,  0,  MI,  // 00
    M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,   // 10
    M,  M,  M,  M,  X,  X,  X,  X,  M,  M,  M,  M,  M,  M,  M,  M,   // 20
    0,  0,  0,  0,  0,  0,  X,  0,  X,  X,  X,  X,  X,  X,  X,  X,   // 30
    M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,   // 40
    M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,   // 50
    M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,   // 60
    MI, MI, MI, MI, M,  M,  M,  0,  M,  M,  X,  X,  M,  M,  M,  M,   // 70
    RZ, RZ, RZ, RZ, RZ, RZ, RZ, RZ, RZ, RZ, RZ, RZ, RZ, RZ, RZ, RZ,  // 80
    M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,   // 90
    0,  0,  0,  M,  MI, M,  X,  X,  0,  0,  0,  M,  MI, M,  M,  M,   // a0
    M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  MI, M,  M,  M,  M,  M,   // b0
    M,  M,  MI, M,  MI, MI, MI, M,  0,  0,  0,  0,  0,  0,  0,  0,   // c0
    M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,   // d0
    M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,   // e0
    M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,   // f0
};

class Decoding {
public:
    Decoding(const uint8_t* code, size_t size) : code_(code), size_(size < 15 ? size : 15) {}

    bool run(Instruction& to) {
        to = {0, Instruction::kPlain, 0, 0, 0, 0};
        if (!prefixes() || !opcode() || (form_ & kBad) != 0) return false;
        if ((form_ & kModRm) != 0 && !operands(to)) return false;
        if (!immediates(to)) return false;
        to.length = static_cast<uint8_t>(at_);
        if (to.displacement_size != 0) {
            to.distance = signed_at(to.displacement_at, to.displacement_size);
        }
        classify(to);
        return true;
    }

private:
    bool take(uint8_t& byte) {
        if (at_ >= size_) return false;
        byte = code_[at_++];
        return true;
    }
    bool skip(unsigned bytes) {
        at_ += bytes;
        return at_ <= size_;
    }

    bool prefixes() {
        for (;;) {
            if (at_ >= size_) return false;
            switch (code_[at_]) {
                case 0x66:
                    operand_size_ = true;
                    break;
                case 0x67:
                    address_size_ = true;
                    break;
                case 0xf2:
                    repeat_not_equal_ = true;
                    break;
                case 0x26:
                case 0x2e:
                case 0x36:
                case 0x3e:
                case 0x64:
                case 0x65:
                case 0xf0:
                case 0xf3:
                    break;
                default:
                    if ((code_[at_] & 0xf0) != 0x40) return true;
                    rex_ = code_[at_++];
                    continue;
            }
            rex_ = 0;  // it counts right in front of the opcode alone
            at_++;
        }
    }

    bool opcode() {
        if (!take(opcode_)) return false;
        switch (opcode_) {
            case 0x0f:
                return opcode_after_0f();
            case 0xc4:
            case 0xc5:
            case 0x62:
                // In 64-bit mode always VEX and EVEX, which take no REX.
                return rex_ == 0 && vector_opcode(opcode_);
            case 0x8f:
                // AMD's XOP, unless it is the old pop.
                if (at_ < size_ && (code_[at_] & 31) >= 8) return vector_opcode(opcode_);
                [[fallthrough]];
            default:
                form_ = kOneByte[opcode_];
                return true;
        }
    }

    bool opcode_after_0f() {
        if (!take(opcode_)) return false;
        map_ = 1;
        if (opcode_ == 0x38 || opcode_ == 0x3a) {
            map_ = opcode_ == 0x38 ? 2 : 3;
            form_ = map_ == 2 ? M : MI;
            return take(opcode_);
        }
        form_ = kTwoBytes[opcode_];
        // SSE4a's extrq and insertq.
        if (opcode_ == 0x78 && (operand_size_ || repeat_not_equal_)) form_ = M | kImm16;
        return true;
    }

    bool vector_opcode(uint8_t prefix) {
        uint8_t first = 0, byte = 0;
        if (!take(first)) return false;
        if (prefix == 0xc5) {
            map_ = 1;
        } else {
            map_ = prefix == 0x62 ? first & 7 : first & 31;
            if (!skip(prefix == 0x62 ? 2 : 1)) return false;
        }
        if (!take(byte)) return false;
        opcode_ = byte;
        vector_ = true;
        switch (map_) {
            case 1:
                form_ = kTwoBytes[opcode_] & ~kRelative;
                // kmov, kortest and ktest lie where setcc and jcc are without VEX.
                if ((opcode_ & 0xf0) == 0x80) form_ = kBad;
                return true;
            case 2:
            case 5:
            case 6:
                form_ = M;
                return map_ == 2 || prefix == 0x62;
            case 3:
            case 8:
                form_ = MI;
                return true;
            case 9:
                form_ = M;
                return true;
            case 10:
                form_ = MZ;
                return true;
            default:
                return false;
        }
    }

    bool operands(Instruction& to) {
        if (!take(modrm_)) return false;
        const unsigned mode = modrm_ >> 6, memory = modrm_ & 7;
        // Moves to and from control and debug registers take any mode for a register.
        if (!vector_ && map_ == 1 && opcode_ >= 0x20 && opcode_ <= 0x23) return true;
        if (mode == 3) return true;
        unsigned displacement = mode == 1 ? 1 : mode == 2 ? 4 : 0;
        if (memory == 4) {
            uint8_t sib = 0;
            if (!take(sib)) return false;
            if (mode == 0 && (sib & 7) == 5) displacement = 4;
        } else if (mode == 0 && memory == 5) {
            by_rip_ = true;
            displacement = 4;
            to.displacement_at = static_cast<uint8_t>(at_);
            to.displacement_size = 4;
        }
        return skip(displacement);
    }

    bool immediates(Instruction& to) {
        const unsigned usual = operand_size_ && (rex_ & kRexW) == 0 ? 2 : 4;
        uint8_t form = form_;
        const unsigned extension = modrm_ >> 3 & 7;
        // Group 3: only test has an immediate.
        if (map_ == 0 && (opcode_ & 0xfe) == 0xf6 && extension < 2) {
            form |= opcode_ == 0xf6 ? kImm8 : kImmZ;
        }
        if (is_xbegin()) form |= kRelative;
        if ((form & kRelative) != 0) {
            to.displacement_at = static_cast<uint8_t>(at_);
            // An operand-size prefix shortens no branch (Intel; compilers pad with it) but xbegin.
            to.displacement_size = (form & kImm8) != 0 ? 1 : is_xbegin() && usual == 2 ? 2 : 4;
            return skip(to.displacement_size);
        }
        unsigned bytes = 0;
        if ((form & kImm8) != 0) bytes += 1;
        if ((form & kImm16) != 0) bytes += 2;
        if ((form & kImmZ) != 0) bytes += usual;
        if ((form & kImmV) != 0) bytes += (rex_ & kRexW) != 0 ? 8 : usual;
        if ((form & kAddress) != 0) bytes += address_size_ ? 4 : 8;
        return skip(bytes);
    }

    bool is_xbegin() const { return map_ == 0 && opcode_ == 0xc7 && modrm_ == 0xf8; }

    int64_t signed_at(unsigned at, unsigned size) const {
        if (size == 1) return static_cast<int8_t>(code_[at]);
        if (size == 2) return static_cast<int16_t>(code_[at] | code_[at + 1] << 8);
        int32_t value;
        memcpy(&value, code_ + at, sizeof(value));
        return value;
    }

    void classify(Instruction& to) const {
        if (vector_ || map_ > 1) {
            to.kind = by_rip_ ? Instruction::kRipRelative : Instruction::kPlain;
        } else if (map_ == 1) {
            if ((opcode_ & 0xf0) == 0x80) {
                to.kind = Instruction::kBranch;
                to.condition = opcode_ & 15;
            } else if (opcode_ == 0x0b) {
                to.kind = Instruction::kEnd;
            } else {
                to.kind = by_rip_ ? Instruction::kRipRelative : Instruction::kPlain;
            }
        } else {
            classify_one_byte(to);
        }
        // Relative to the low half of the address.
        if (by_rip_ && address_size_) to.kind = Instruction::kOther;
    }

    void classify_one_byte(Instruction& to) const {
        const unsigned extension = modrm_ >> 3 & 7;
        if ((opcode_ & 0xf0) == 0x70) {
            to.kind = Instruction::kBranch;
            to.condition = opcode_ & 15;
        } else if (opcode_ == 0xe8) {
            to.kind = Instruction::kCall;
        } else if (opcode_ == 0xe9 || opcode_ == 0xeb) {
            to.kind = Instruction::kJump;
        } else if (opcode_ >= 0xe0 && opcode_ <= 0xe3) {
            to.kind = Instruction::kOther;  // loop and jrcxz have no longer form
        } else if (is_xbegin()) {
            to.kind = Instruction::kOther;
        } else if (opcode_ == 0xff && (extension == 2 || extension == 3)) {
            to.kind = by_rip_ && extension == 2 ? Instruction::kCallMemory : Instruction::kOther;
        } else if (opcode_ == 0xff && (extension == 4 || extension == 5)) {
            to.kind = !by_rip_         ? Instruction::kEnd
                      : extension == 4 ? Instruction::kJumpMemory
                                       : Instruction::kOther;
        } else if (opcode_ == 0xc2 || opcode_ == 0xc3 || opcode_ == 0xca || opcode_ == 0xcb ||
                   opcode_ == 0xcf || opcode_ == 0xf4) {
            to.kind = Instruction::kEnd;  // ret, iret, hlt
        } else {
            to.kind = by_rip_ ? Instruction::kRipRelative : Instruction::kPlain;
        }
    }

    static constexpr uint8_t kRexW = 8;

    const uint8_t* const code_;
    const size_t size_;
    size_t at_ = 0;
    bool operand_size_ = false, address_size_ = false, repeat_not_equal_ = false;
    bool vector_ = false;  // VEX or EVEX
    bool by_rip_ = false;
    uint8_t rex_ = 0, opcode_ = 0, modrm_ = 0, form_ = 0;
    unsigned map_ = 0;  // 0: one byte; 1: 0F; 2: 0F38; 3: 0F3A; 5, 6: EVEX; 8 to 10: XOP
};

}  // namespace

bool decode(const uint8_t* code, size_t size, Instruction& instruction) {
    return Decoding(code, size).run(instruction);
}

}  // namespace lastref::hooks
