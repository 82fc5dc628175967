// The bytes of one trace: a file, or memory in tests and fuzzing; PackedSource makes them from a
// packed trace.
#ifndef LASTREF_ANALYZER_READ_BYTE_SOURCE_H
#define LASTREF_ANALYZER_READ_BYTE_SOURCE_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "read/result.h"

namespace lastref {

// Offsets [begin, end) of a trace.
struct Extent {
    uint64_t begin = 0, end = 0;
};

class ByteSource {
public:
    // A file is read with pread, never mapped: it may be truncated by somebody while we read, which
    // turns a mapping into SIGBUS. The size is taken once, here; a live process may make the file
    // grow, and what it appends later is not part of this trace.
    static Result<std::unique_ptr<ByteSource>> open(const std::string& path);
    static std::unique_ptr<ByteSource> from_bytes(std::vector<uint8_t> bytes);

    ByteSource() = default;
    ByteSource(const ByteSource&) = delete;
    ByteSource& operator=(const ByteSource&) = delete;
    virtual ~ByteSource() = default;

    // Of the trace.
    virtual uint64_t size() const = 0;
    // Of the file that it is kept in.
    virtual uint64_t stored_size() const { return size(); }
    virtual bool is_packed() const { return false; }

    // The next run of bytes, from `offset` on, that may be other than zero; empty, at the trace's
    // end, where there is none. A size in a damaged trace may be anything: what is allocated or
    // searched is bounded by what is there.
    virtual Extent data_at(uint64_t offset) const { return {std::min(offset, size()), size()}; }

    // Copies up to `length` bytes from `offset` on; fewer at the end, or where reading fails.
    virtual size_t read(uint64_t offset, void* to, size_t length) const = 0;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_BYTE_SOURCE_H
