#include "byte_buf.h"

#include <cstring>
#include <new>
#include <stdexcept>

#include <lastref/lastref.h>

namespace {
// One thread serves, so plain numbers do.
ByteBuf::Usage gauge{};
}  // namespace

ByteBuf* ByteBuf::allocate(size_t capacity) {
    auto* buffer = new (::operator new(sizeof(ByteBuf) + capacity)) ByteBuf(capacity);
    lastref_create(buffer, capacity, "ByteBuf");
    ++gauge.buffers;
    gauge.used += capacity;
    if (gauge.used > gauge.peak) gauge.peak = gauge.used;
    return buffer;
}

ByteBuf* ByteBuf::retain() {
    ++count_;
    lastref_retain(this);
    return this;
}

void ByteBuf::release() {
    lastref_release(this);
    if (--count_ > 0) return;
    --gauge.buffers;
    gauge.used -= capacity_;
    this->~ByteBuf();
    ::operator delete(this);
}

void ByteBuf::append(std::string_view bytes) {
    if (bytes.size() > capacity_ - size_) throw std::length_error("ByteBuf is full");
    std::memcpy(reinterpret_cast<char*>(this + 1) + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
}

void ByteBuf::append_u16(uint16_t value) {
    const char bytes[] = {static_cast<char>(value >> 8), static_cast<char>(value)};
    append({bytes, sizeof bytes});
}

void ByteBuf::append_u32(uint32_t value) {
    append_u16(static_cast<uint16_t>(value >> 16));
    append_u16(static_cast<uint16_t>(value));
}

ByteBuf::Usage ByteBuf::usage() {
    return gauge;
}
