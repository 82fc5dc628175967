// The columns of one segment: byte streams that are written side by side, packed one by one, and
// read back side by side.
//
// Packing and Unpacking are the two directions of one interface. A model that is written against it
// once, changing what it is given when it unpacks, can't have a writer and a reader that differ.
#ifndef LASTREF_ANALYZER_PACK_COLUMNS_H
#define LASTREF_ANALYZER_PACK_COLUMNS_H

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "pack/packed_format.h"

namespace lastref::packed {

class Packing {
public:
    static constexpr bool kPacks = true;

    void byte(Column column, uint8_t value) { columns_[column].push_back(value); }
    void number(Column column, uint64_t value) {
        while (value >= 0x80) {
            byte(column, static_cast<uint8_t>(value | 0x80));
            value >>= 7;
        }
        byte(column, static_cast<uint8_t>(value));
    }
    void bytes(Column column, size_t, std::string_view value) {
        columns_[column].insert(columns_[column].end(), value.begin(), value.end());
    }
    bool failed() const { return false; }

    // The body of a segment (BODY in packed_format.h). Empties the columns.
    std::vector<uint8_t> finish();

private:
    std::array<std::vector<uint8_t>, kColumns> columns_;
};

class Unpacking {
public:
    static constexpr bool kPacks = false;

    // Unpacks all columns of `body`; failed() where that is impossible. `limit`: most bytes that
    // they may have together.
    Unpacking(const uint8_t* body, size_t size, uint64_t limit);

    // Zero where the column is at its end, and failed() from then on.
    void byte(Column column, uint8_t& value) {
        Cursor& cursor = cursors_[column];
        if (cursor.at == cursor.end) [[unlikely]] {
            failed_ = true;
            value = 0;
            return;
        }
        value = *cursor.at++;
    }
    void number(Column column, uint64_t& value) {
        value = 0;
        uint8_t part = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            byte(column, part);
            value |= uint64_t{part & 0x7fu} << shift;
            if (part < 0x80) [[likely]]
                return;
        }
        failed_ = true;
    }
    // Stays valid as long as this object.
    void bytes(Column column, size_t size, std::string_view& value);

    bool failed() const { return failed_; }
    // True when nothing failed and all columns were read to their ends.
    bool finished() const;

private:
    struct Cursor {
        const uint8_t* at = nullptr;
        const uint8_t* end = nullptr;
    };
    bool unpack(const uint8_t* body, size_t size, uint64_t limit);

    std::array<Cursor, kColumns> cursors_;
    std::vector<std::unique_ptr<uint8_t[]>> storage_;
    bool failed_ = false;
};

}  // namespace lastref::packed

#endif  // LASTREF_ANALYZER_PACK_COLUMNS_H
