#include "read/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace lastref {

Result<ByteSource> ByteSource::open(const std::string& path) {
    ByteSource source;
    // O_NONBLOCK: a FIFO of that name must not hang us.
    source.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (source.descriptor_ < 0) {
        return Error{path, 0, std::string("cannot be opened: ") + std::strerror(errno), ""};
    }
    struct stat status {};
    if (::fstat(source.descriptor_, &status) != 0) {
        return Error{path, 0, std::string("cannot be read: ") + std::strerror(errno), ""};
    }
    if (!S_ISREG(status.st_mode)) {
        return Error{path, 0, "is not a regular file", "give the path of a trace file"};
    }
    source.size_ = static_cast<uint64_t>(status.st_size);
    return source;
}

ByteSource ByteSource::from_bytes(std::vector<uint8_t> bytes) {
    ByteSource source;
    source.size_ = bytes.size();
    source.bytes_ = std::move(bytes);
    return source;
}

ByteSource::ByteSource(ByteSource&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      size_(std::exchange(other.size_, 0)),
      bytes_(std::move(other.bytes_)) {}

ByteSource& ByteSource::operator=(ByteSource&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(size_, other.size_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

ByteSource::~ByteSource() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

size_t ByteSource::read(uint64_t offset, void* to, size_t length) const {
    if (offset >= size_) return 0;
    length = static_cast<size_t>(std::min<uint64_t>(length, size_ - offset));
    if (descriptor_ < 0) {
        std::memcpy(to, bytes_.data() + offset, length);
        return length;
    }
    size_t done = 0;
    while (done < length) {
        const ssize_t got = ::pread(descriptor_, static_cast<uint8_t*>(to) + done, length - done,
                                    static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        done += static_cast<size_t>(got);
    }
    return done;
}

}  // namespace lastref
