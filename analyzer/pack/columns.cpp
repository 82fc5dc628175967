#include "pack/columns.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "read/varint.h"

namespace lastref::packed {
namespace {

// The noise of times takes no more room at a low level; the tokens repeat, which pays at a high
// one. Beyond it, level 19 saves 3 % of the file for four times the work.
constexpr int kNoiseLevel = 3;
constexpr int kLevel = 15;

int level_of(size_t column) {
    const bool noise = column == kTimeLow || column >= kTime || column == kBlockAddress;
    return noise ? kNoiseLevel : kLevel;
}

struct BodyReader {
    const uint8_t* at;
    const uint8_t* end;
    bool number(uint64_t& value) {
        value = 0;
        for (unsigned shift = 0; shift < 35 && at < end; shift += 7) {
            const uint8_t part = *at++;
            value |= uint64_t{part & 0x7fu} << shift;
            if (part < 0x80) return true;
        }
        return false;
    }
};

}  // namespace

std::vector<uint8_t> Packing::finish() {
    std::vector<uint8_t> directory, packed;
    uint64_t count = 0;
    ZSTD_CCtx* const context = ZSTD_createCCtx();
    for (size_t i = 0; i < kColumns; ++i) {
        std::vector<uint8_t>& column = columns_[i];
        if (column.empty()) continue;
        const size_t at = packed.size();
        packed.resize(at + ZSTD_compressBound(column.size()));
        size_t size = ZSTD_compressCCtx(context, packed.data() + at, packed.size() - at,
                                        column.data(), column.size(), level_of(i));
        if (ZSTD_isError(size) || size >= column.size()) {
            size = column.size();
            std::memcpy(packed.data() + at, column.data(), size);
        }
        packed.resize(at + size);
        ++count;
        directory.push_back(static_cast<uint8_t>(i));
        append_varint(directory, column.size());
        append_varint(directory, size);
        column.clear();
    }
    ZSTD_freeCCtx(context);
    std::vector<uint8_t> body;
    append_varint(body, count);
    body.insert(body.end(), directory.begin(), directory.end());
    body.insert(body.end(), packed.begin(), packed.end());
    return body;
}

Unpacking::Unpacking(const uint8_t* body, size_t size, uint64_t limit) {
    failed_ = !unpack(body, size, limit);
    if (failed_) cursors_ = {};
}

bool Unpacking::unpack(const uint8_t* body, size_t size, uint64_t limit) {
    struct Place {
        uint8_t column;
        uint64_t size, packed;
    };
    BodyReader reader{body, body + size};
    uint64_t count = 0;
    if (!reader.number(count) || count > kColumns) return false;
    std::vector<Place> places(count);
    for (Place& place : places) {
        if (reader.at == reader.end) return false;
        place.column = *reader.at++;
        if (place.column >= kColumns || !reader.number(place.size) || place.size == 0 ||
            !reader.number(place.packed) || place.size > limit) {
            return false;
        }
        limit -= place.size;
    }
    for (const Place& place : places) {
        Cursor& cursor = cursors_[place.column];
        if (place.packed > static_cast<uint64_t>(reader.end - reader.at) || cursor.at != nullptr) {
            return false;
        }
        if (place.packed == place.size) {
            cursor.at = reader.at;
        } else {
            storage_.push_back(std::make_unique_for_overwrite<uint8_t[]>(place.size));
            if (ZSTD_decompress(storage_.back().get(), place.size, reader.at, place.packed) !=
                place.size) {
                return false;
            }
            cursor.at = storage_.back().get();
        }
        cursor.end = cursor.at + place.size;
        reader.at += place.packed;
    }
    return reader.at == reader.end;
}

void Unpacking::bytes(Column column, size_t size, std::string_view& value) {
    Cursor& cursor = cursors_[column];
    if (size > static_cast<size_t>(cursor.end - cursor.at)) {
        failed_ = true;
        value = {};
        return;
    }
    value = {reinterpret_cast<const char*>(cursor.at), size};
    cursor.at += size;
}

bool Unpacking::finished() const {
    return !failed_ && std::all_of(cursors_.begin(), cursors_.end(),
                                   [](const Cursor& cursor) { return cursor.at == cursor.end; });
}

uint64_t checksum(const void* data, size_t size, uint64_t seed) {
    constexpr uint64_t kFactor = 0x9e3779b97f4a7c15u;
    const auto* at = static_cast<const uint8_t*>(data);
    uint64_t sum = (seed + size) * kFactor;
    while (size != 0) {
        uint64_t word = 0;
        const size_t step = std::min(size, sizeof(word));
        std::memcpy(&word, at, step);
        sum = (sum ^ word) * kFactor;
        sum ^= sum >> 32;
        at += step;
        size -= step;
    }
    return sum;
}

}  // namespace lastref::packed
