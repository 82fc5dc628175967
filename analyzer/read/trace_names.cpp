#include "read/trace_names.h"

#include <algorithm>
#include <string_view>

#include "read/varint.h"

namespace lastref {
namespace {

// Reads on until something is wrong; then every further value is 0.
class Cursor {
public:
    // `bytes` has kDecodePadding zeros behind its `size`.
    Cursor(const std::vector<uint8_t>& bytes, size_t size)
        : begin_(bytes.data()), at_(begin_), end_(begin_ + size) {}

    uint64_t number() {
        uint64_t value = 0;
        const uint8_t* const next = good_ && at_ < end_ ? read_varint(at_, value) : nullptr;
        if (next == nullptr || next > end_) {
            good_ = false;
            return 0;
        }
        at_ = next;
        return value;
    }
    // A count of things that take a byte each at least.
    uint64_t count() {
        const uint64_t value = number();
        if (value > static_cast<uint64_t>(end_ - at_)) good_ = false;
        return good_ ? value : 0;
    }
    std::string text() {
        const uint64_t length = count();
        std::string text(reinterpret_cast<const char*>(at_), length);
        at_ += length;
        return text;
    }
    uint64_t below(uint64_t limit) {
        const uint64_t value = number();
        if (value >= limit) good_ = false;
        return good_ ? value : 0;
    }
    bool good() const { return good_; }
    uint64_t offset() const { return static_cast<uint64_t>(at_ - begin_); }

private:
    const uint8_t* begin_;
    const uint8_t* at_;
    const uint8_t* end_;
    bool good_ = true;
};

}  // namespace

std::string encode_names(const TraceNames& names) {
    std::map<std::string_view, uint64_t> texts;
    for (const auto& [place, frames] : names) {
        for (const NamedFrame& frame : frames) {
            texts.try_emplace(frame.function, 0);
            texts.try_emplace(frame.file, 0);
        }
    }
    std::string bytes;
    append_varint(bytes, texts.size());
    uint64_t index = 0;
    for (auto& [text, number] : texts) {
        number = index++;
        append_varint(bytes, text.size());
        bytes += text;
    }
    append_varint(bytes, names.size());
    uint64_t previous = 0;
    for (const auto& [place, frames] : names) {
        append_varint(bytes, place.first);
        append_varint(bytes, zigzag(place.second - previous));
        previous = place.second;
        append_varint(bytes, frames.size());
        for (const NamedFrame& frame : frames) {
            append_varint(bytes, texts[frame.function]);
            append_varint(bytes, texts[frame.file]);
            append_varint(bytes, frame.line);
        }
    }
    return bytes;
}

TraceNames read_names(const ByteSource& bytes, uint64_t offset, uint64_t size, DamageList& damage) {
    TraceNames names;
    // They have no place for a page of zeros.
    const Extent data = bytes.data_at(offset);
    const uint64_t there = data.begin == offset ? data.end - offset : 0;
    if (size > there) damage.add(offset + there, "the file ends before its names do");
    size = std::min(size, there);
    std::vector<uint8_t> room(size + kDecodePadding);
    Cursor cursor(room, bytes.read(offset, room.data(), size));
    std::vector<std::string> texts;
    for (uint64_t left = cursor.count(); left != 0 && cursor.good(); --left) {
        texts.push_back(cursor.text());
    }
    uint64_t address = 0;
    for (uint64_t left = cursor.count(); left != 0; --left) {
        const auto module = static_cast<uint32_t>(cursor.below(UINT32_MAX));
        address += static_cast<uint64_t>(unzigzag(cursor.number()));
        std::vector<NamedFrame> frames;
        for (uint64_t more = cursor.count(); more != 0 && cursor.good(); --more) {
            NamedFrame& frame = frames.emplace_back();
            const uint64_t function = cursor.below(texts.size()), file = cursor.below(texts.size());
            frame.line = static_cast<uint32_t>(cursor.below(uint64_t{UINT32_MAX} + 1));
            if (!cursor.good()) break;
            frame.function = texts[function];
            frame.file = texts[file];
        }
        if (!cursor.good()) break;
        names[{module, address}] = std::move(frames);
    }
    if (!cursor.good()) damage.add(offset + cursor.offset(), "the names are damaged");
    return names;
}

}  // namespace lastref
