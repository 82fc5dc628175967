#include "eh_frame.h"

#include <string.h>

#include "dwarf_cursor.h"

namespace lastref {
namespace {

constexpr uint64_t kRbp = 6, kRsp = 7, kReturnAddress = 16;

struct Cie {
    uint64_t code_alignment = 1;
    int64_t data_alignment = 1;
    uint8_t pointer_encoding = kAbsolute;
    bool augmented = false;
    bool signal_frame = false;
    uintptr_t instructions = 0, end = 0;
};

bool read_cie(const ModuleRange& module, uintptr_t at, Cie& cie) {
    DwarfCursor cursor(at, module.end);
    if (!module.holds(at, 8)) return false;
    const uint32_t length = cursor.fixed<uint32_t>();
    if (length == 0 || length == UINT32_MAX || !module.holds(cursor.at(), length)) return false;
    cie.end = cursor.at() + length;
    cursor = DwarfCursor(cursor.at(), cie.end);
    if (cursor.fixed<uint32_t>() != 0) return false;
    const uint8_t version = cursor.fixed<uint8_t>();
    if (version != 1 && version != 3) return false;
    char augmentation[8] = {};
    for (unsigned i = 0;; i++) {
        const char c = cursor.fixed<char>();
        if (c == 0) break;
        if (i + 1 >= sizeof(augmentation) || !cursor.ok()) return false;
        augmentation[i] = c;
    }
    cie.code_alignment = cursor.uleb();
    cie.data_alignment = cursor.sleb();
    const uint64_t return_register = version == 1 ? cursor.fixed<uint8_t>() : cursor.uleb();
    if (return_register != kReturnAddress) return false;
    uintptr_t instructions = 0;
    for (const char* a = augmentation; *a; a++) {
        switch (*a) {
            case 'z':
                cie.augmented = true;
                instructions = cursor.uleb();
                if (instructions > cie.end - cursor.at()) return false;
                instructions += cursor.at();
                break;
            case 'R':
                cie.pointer_encoding = cursor.fixed<uint8_t>();
                break;
            case 'P':
                cursor.encoded(cursor.fixed<uint8_t>() & 0x7f, true, 0);
                break;
            case 'L':
                cursor.fixed<uint8_t>();
                break;
            case 'S':
                cie.signal_frame = true;
                break;
            default:
                return false;
        }
    }
    cie.instructions = cie.augmented ? instructions : cursor.at();
    return cursor.ok() && cie.instructions <= cie.end;
}

// Where a register of the caller is found; expressions are kept as the place of their bytes.
struct Place {
    enum Kind : uint8_t { kSame, kAtCfa, kExpression, kUndefined, kOther } kind = kSame;
    int64_t offset = 0;
    uintptr_t expression = 0;
    uint64_t length = 0;
};
struct Row {
    uint64_t cfa_register = kRsp;
    int64_t cfa_offset = 8;
    uintptr_t cfa_expression = 0;
    uint64_t cfa_length = 0;
    Place rbp;
    Place return_address{Place::kAtCfa, -8, 0, 0};
};

// Runs call frame instructions up to `pc` (DWARF 5, 6.4.2) for the registers that we follow.
class Machine {
public:
    Machine(const Cie& cie, uintptr_t begin, uintptr_t pc) : cie_(cie), at_(begin), pc_(pc) {}

    bool run(uintptr_t instructions, uintptr_t end) {
        DwarfCursor c(instructions, end);
        while (c.more()) {
            const uint8_t byte = c.fixed<uint8_t>();
            const uint8_t low = byte & 0x3f;
            switch (byte >> 6) {
                case 1:
                    if (!advance(low)) return true;
                    continue;
                case 2:
                    set(low, {Place::kAtCfa, static_cast<int64_t>(c.uleb()) * cie_.data_alignment,
                              0, 0});
                    continue;
                case 3:
                    restore(low);
                    continue;
                default:
                    break;
            }
            switch (byte) {
                case 0x00:
                    break;    // nop
                case 0x01: {  // set_loc
                    at_ = c.encoded(cie_.pointer_encoding, false, 0);
                    if (at_ > pc_) return c.ok();
                    break;
                }
                case 0x02:
                    if (!advance(c.fixed<uint8_t>())) return c.ok();
                    break;
                case 0x03:
                    if (!advance(c.fixed<uint16_t>())) return c.ok();
                    break;
                case 0x04:
                    if (!advance(c.fixed<uint32_t>())) return c.ok();
                    break;
                case 0x05: {
                    const auto r = c.uleb();
                    set(r, {Place::kAtCfa, static_cast<int64_t>(c.uleb()) * cie_.data_alignment, 0,
                            0});
                    break;
                }
                case 0x06:
                    restore(c.uleb());
                    break;
                case 0x07:
                    set(c.uleb(), {Place::kUndefined, 0, 0, 0});
                    break;
                case 0x08:
                    set(c.uleb(), {Place::kSame, 0, 0, 0});
                    break;
                case 0x09: {
                    const auto r = c.uleb();
                    c.uleb();
                    set(r, {Place::kOther, 0, 0, 0});
                    break;
                }
                case 0x0a:  // remember_state
                    if (depth_ == kMaxDepth) return false;
                    saved_[depth_++] = row;
                    break;
                case 0x0b:  // restore_state
                    if (depth_ == 0) return false;
                    row = saved_[--depth_];
                    break;
                case 0x0c:
                    row.cfa_register = c.uleb();
                    row.cfa_offset = static_cast<int64_t>(c.uleb());
                    row.cfa_expression = 0;
                    break;
                case 0x0d:
                    row.cfa_register = c.uleb();
                    row.cfa_expression = 0;
                    break;
                case 0x0e:
                    row.cfa_offset = static_cast<int64_t>(c.uleb());
                    break;
                case 0x0f:
                    row.cfa_length = c.uleb();
                    row.cfa_expression = c.at();
                    c.skip(row.cfa_length);
                    break;
                case 0x10:
                case 0x16: {  // expression, val_expression
                    const auto r = c.uleb();
                    const uint64_t length = c.uleb();
                    set(r, {byte == 0x10 ? Place::kExpression : Place::kOther, 0, c.at(), length});
                    c.skip(length);
                    break;
                }
                case 0x11: {
                    const auto r = c.uleb();
                    set(r, {Place::kAtCfa, c.sleb() * cie_.data_alignment, 0, 0});
                    break;
                }
                case 0x12:
                    row.cfa_register = c.uleb();
                    row.cfa_offset = c.sleb() * cie_.data_alignment;
                    row.cfa_expression = 0;
                    break;
                case 0x13:
                    row.cfa_offset = c.sleb() * cie_.data_alignment;
                    break;
                case 0x14: {
                    const auto r = c.uleb();
                    c.uleb();
                    set(r, {Place::kOther, 0, 0, 0});
                    break;
                }
                case 0x15: {
                    const auto r = c.uleb();
                    c.sleb();
                    set(r, {Place::kOther, 0, 0, 0});
                    break;
                }
                case 0x2e:
                    c.uleb();
                    break;  // GNU_args_size
                case 0x2f: {
                    const auto r = c.uleb();
                    set(r, {Place::kAtCfa, -static_cast<int64_t>(c.uleb()) * cie_.data_alignment, 0,
                            0});
                    break;
                }
                default:
                    return false;
            }
        }
        return c.ok();
    }
    void keep_initial() { initial_ = row; }

    Row row;

private:
    static constexpr unsigned kMaxDepth = 8;

    bool advance(uint64_t delta) {
        at_ += delta * cie_.code_alignment;
        return at_ <= pc_;
    }
    void set(uint64_t reg, const Place& place) {
        if (reg == kRbp)
            row.rbp = place;
        else if (reg == kReturnAddress)
            row.return_address = place;
    }
    void restore(uint64_t reg) {
        if (reg == kRbp)
            row.rbp = initial_.rbp;
        else if (reg == kReturnAddress)
            row.return_address = initial_.return_address;
    }

    const Cie& cie_;
    uintptr_t at_, pc_;
    Row initial_;
    Row saved_[kMaxDepth];
    unsigned depth_ = 0;
};

constexpr uint8_t kBregRbp = 0x70 + kRbp, kBregRsp = 0x70 + kRsp, kDeref = 0x06;

// `breg6 n; deref`: the CFA was saved near rbp, as by functions that realign their stack.
bool is_saved_cfa(uintptr_t expression, uint64_t length, int64_t& offset) {
    DwarfCursor c(expression, expression + length);
    if (c.fixed<uint8_t>() != kBregRbp) return false;
    offset = c.sleb();
    return c.fixed<uint8_t>() == kDeref && c.ok() && !c.more();
}

// The linker's rule for PLT entries: sp + 8, and 8 more from the push in the middle of one:
// breg7 8; breg16 0; lit15; and; lit11; ge; lit3; shl; plus.
bool is_plt_cfa(uintptr_t expression, uint64_t length) {
    static const uint8_t plt[] = {
        kBregRsp, 8, 0x70 + kReturnAddress, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22};
    return length == sizeof(plt) &&
           memcmp(reinterpret_cast<const void*>(expression), plt, sizeof(plt)) == 0;
}

bool fits(int64_t offset) {
    return offset >= INT32_MIN && offset <= INT32_MAX;
}

FrameRule to_rule(const Row& row, uintptr_t pc) {
    FrameRule rule;
    if (row.return_address.kind == Place::kUndefined) {
        rule.cfa = CfaKind::kOutermost;
        return rule;
    }
    rule.cfa = CfaKind::kOther;
    if (row.return_address.kind != Place::kAtCfa || row.return_address.offset != -8) return rule;
    int64_t offset = row.cfa_offset;
    CfaKind kind = CfaKind::kNone;
    if (row.cfa_expression) {
        if (is_saved_cfa(row.cfa_expression, row.cfa_length, offset)) {
            kind = CfaKind::kMemory;
        } else if (is_plt_cfa(row.cfa_expression, row.cfa_length)) {
            kind = CfaKind::kStackPointer;
            offset = (pc & 15) >= 11 ? 16 : 8;
        }
    } else if (row.cfa_register == kRsp) {
        kind = CfaKind::kStackPointer;
    } else if (row.cfa_register == kRbp) {
        kind = CfaKind::kFramePointer;
    }
    if (kind == CfaKind::kNone || !fits(offset)) return rule;
    switch (row.rbp.kind) {
        case Place::kSame:
            rule.fp = FpKind::kSame;
            break;
        case Place::kAtCfa:
            if (!fits(row.rbp.offset)) return rule;
            rule.fp = FpKind::kAtCfa;
            rule.fp_offset = static_cast<int32_t>(row.rbp.offset);
            break;
        case Place::kExpression: {
            DwarfCursor c(row.rbp.expression, row.rbp.expression + row.rbp.length);
            if (c.fixed<uint8_t>() != kBregRbp) return rule;
            const int64_t at = c.sleb();
            if (!c.ok() || c.more() || !fits(at)) return rule;
            rule.fp = FpKind::kAtFramePointer;
            rule.fp_offset = static_cast<int32_t>(at);
            break;
        }
        default:
            return rule;
    }
    rule.cfa_offset = static_cast<int32_t>(offset);
    rule.cfa = kind;
    return rule;
}

// Address of the frame description entry for pc, from the header's sorted table; 0: none.
uintptr_t find_entry(const ModuleRange& module, uintptr_t header, uintptr_t pc) {
    if (!module.holds(header, 12)) return 0;
    DwarfCursor c(header, module.end);
    const uint8_t version = c.fixed<uint8_t>();
    const uint8_t frame_encoding = c.fixed<uint8_t>();
    const uint8_t count_encoding = c.fixed<uint8_t>();
    const uint8_t table_encoding = c.fixed<uint8_t>();
    if (version != 1 || count_encoding == kOmit || table_encoding != (kDataRelative | kSdata4)) {
        return 0;
    }
    c.encoded(frame_encoding, true, header);
    const uint64_t count = c.encoded(count_encoding, false, header);
    struct Entry {
        int32_t location, description;
    };
    if (!c.ok() || count == 0 || count > (module.end - c.at()) / sizeof(Entry)) return 0;
    const auto* table = reinterpret_cast<const Entry*>(c.at());
    const int64_t wanted = static_cast<int64_t>(pc - header);
    uint64_t low = 0, high = count;
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        if (table[middle].location <= wanted)
            low = middle;
        else
            high = middle;
    }
    if (table[low].location > wanted) return 0;
    return header + static_cast<uintptr_t>(static_cast<intptr_t>(table[low].description));
}

}  // namespace

FrameRule rule_from_eh_frame(const ModuleRange& module, const void* header, uintptr_t pc) {
    const uintptr_t entry = find_entry(module, reinterpret_cast<uintptr_t>(header), pc);
    if (entry == 0 || !module.holds(entry, 8)) return {};
    DwarfCursor c(entry, module.end);
    const uint32_t length = c.fixed<uint32_t>();
    if (length == 0 || length == UINT32_MAX || !module.holds(c.at(), length)) return {};
    const uintptr_t end = c.at() + length;
    c = DwarfCursor(c.at(), end);
    const uintptr_t cie_field = c.at();
    const uint32_t cie_distance = c.fixed<uint32_t>();
    Cie cie;
    if (cie_distance == 0 || !read_cie(module, cie_field - cie_distance, cie)) return {};
    const uintptr_t begin = c.encoded(cie.pointer_encoding, false, 0);
    const uint64_t size = c.encoded(cie.pointer_encoding, true, 0);
    if (!c.ok() || pc < begin || pc - begin >= size) return {};
    if (cie.signal_frame) {
        FrameRule rule;
        rule.cfa = CfaKind::kSignal;
        return rule;
    }
    if (cie.augmented) c.skip(c.uleb());
    Machine machine(cie, begin, pc);
    // The initial instructions hold for the whole range: they advance no location.
    FrameRule unknown;
    unknown.cfa = CfaKind::kOther;
    if (!c.ok() || !machine.run(cie.instructions, cie.end)) return unknown;
    machine.keep_initial();
    if (!machine.run(c.at(), end)) return unknown;
    return to_rule(machine.row, pc);
}

}  // namespace lastref
