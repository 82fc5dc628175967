// The bytes of one trace: a file, or memory in tests and fuzzing.
//
// A file is read with pread, never mapped: it may be truncated by somebody while we read, which
// turns a mapping into SIGBUS. The size is taken once, at open; a live process may make the file
// grow, and what it appends later is not part of this trace.
#ifndef LASTREF_ANALYZER_READ_BYTE_SOURCE_H
#define LASTREF_ANALYZER_READ_BYTE_SOURCE_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "read/result.h"

namespace lastref {

class ByteSource {
public:
    static Result<ByteSource> open(const std::string& path);
    static ByteSource from_bytes(std::vector<uint8_t> bytes);

    ByteSource(ByteSource&& other) noexcept;
    ByteSource& operator=(ByteSource&& other) noexcept;
    ~ByteSource();

    uint64_t size() const { return size_; }

    // Copies up to `length` bytes from `offset` on; fewer at the end, or where reading fails.
    size_t read(uint64_t offset, void* to, size_t length) const;

private:
    ByteSource() = default;

    int descriptor_ = -1;  // -1: bytes_ is the trace
    uint64_t size_ = 0;
    std::vector<uint8_t> bytes_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_BYTE_SOURCE_H
