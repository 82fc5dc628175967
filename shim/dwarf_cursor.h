// Reads the numbers of DWARF tables from memory, never beyond their end. Used by eh_frame alone.
#ifndef LASTREF_SHIM_DWARF_CURSOR_H
#define LASTREF_SHIM_DWARF_CURSOR_H

#include <stdint.h>
#include <string.h>

namespace lastref {

// DWARF exception header encodings (LSB 10.5.1).
enum DwarfEncoding : uint8_t {
    kAbsolute = 0x00,
    kUleb = 0x01,
    kUdata2 = 0x02,
    kUdata4 = 0x03,
    kUdata8 = 0x04,
    kSleb = 0x09,
    kSdata2 = 0x0a,
    kSdata4 = 0x0b,
    kSdata8 = 0x0c,
    kPcRelative = 0x10,
    kDataRelative = 0x30,
    kIndirect = 0x80,
    kOmit = 0xff,
};

// A bounded reader: past its end it yields zeros and remembers that it failed.
class DwarfCursor {
public:
    DwarfCursor(uintptr_t at, uintptr_t end) : at_(at), end_(end) {}
    bool more() const { return ok_ && at_ < end_; }
    bool ok() const { return ok_; }
    uintptr_t at() const { return at_; }
    void skip(uint64_t count) {
        if (count > end_ - at_)
            ok_ = false;
        else
            at_ += count;
    }
    template <typename T>
    T fixed() {
        T value{};
        if (!ok_ || end_ - at_ < sizeof(T)) {
            ok_ = false;
            return value;
        }
        memcpy(&value, reinterpret_cast<const void*>(at_), sizeof(T));
        at_ += sizeof(T);
        return value;
    }
    uint64_t uleb() {
        uint64_t value = 0;
        for (unsigned shift = 0;; shift += 7) {
            const uint8_t byte = fixed<uint8_t>();
            if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7f) << shift;
            if (!(byte & 0x80) || !ok_) return value;
        }
    }
    int64_t sleb() {
        uint64_t value = 0;
        unsigned shift = 0;
        uint8_t byte;
        do {
            byte = fixed<uint8_t>();
            if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7f) << shift;
            shift += 7;
        } while ((byte & 0x80) && ok_);
        if (shift < 64 && (byte & 0x40)) value |= ~0ull << shift;
        return static_cast<int64_t>(value);
    }
    // An encoded pointer; `relative_size` reads the format only, as for an address range.
    uint64_t encoded(uint8_t encoding, bool format_only, uintptr_t data_base) {
        const uintptr_t place = at_;
        uint64_t value = 0;
        switch (encoding & 0x0f) {
            case kAbsolute:
            case kUdata8:
            case kSdata8:
                value = fixed<uint64_t>();
                break;
            case kUleb:
                value = uleb();
                break;
            case kSleb:
                value = static_cast<uint64_t>(sleb());
                break;
            case kUdata2:
                value = fixed<uint16_t>();
                break;
            case kSdata2:
                value = static_cast<uint64_t>(int64_t{fixed<int16_t>()});
                break;
            case kUdata4:
                value = fixed<uint32_t>();
                break;
            case kSdata4:
                value = static_cast<uint64_t>(int64_t{fixed<int32_t>()});
                break;
            default:
                ok_ = false;
                return 0;
        }
        if (format_only || value == 0) return value;
        switch (encoding & 0x70) {
            case 0:
                break;
            case kPcRelative:
                value += place;
                break;
            case kDataRelative:
                value += data_base;
                break;
            default:
                ok_ = false;
        }
        if (encoding & kIndirect) ok_ = false;  // personality only, which is skipped
        return value;
    }

private:
    uintptr_t at_, end_;
    bool ok_ = true;
};

}  // namespace lastref

#endif  // LASTREF_SHIM_DWARF_CURSOR_H
