#include "read/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace lastref {
namespace {

class FileBytes final : public ByteSource {
public:
    explicit FileBytes(int descriptor) : descriptor_(descriptor) {}
    ~FileBytes() override { ::close(descriptor_); }

    void set_size(uint64_t size) { size_ = size; }
    uint64_t size() const override { return size_; }

    size_t read(uint64_t offset, void* to, size_t length) const override {
        if (offset >= size_) return 0;
        length = static_cast<size_t>(std::min<uint64_t>(length, size_ - offset));
        size_t done = 0;
        while (done < length) {
            const ssize_t got = ::pread(descriptor_, static_cast<uint8_t*>(to) + done,
                                        length - done, static_cast<off_t>(offset + done));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) break;
            done += static_cast<size_t>(got);
        }
        return done;
    }

    Extent data_at(uint64_t offset) const override {
        if (offset >= size_) return {size_, size_};
        const off_t begin = ::lseek(descriptor_, static_cast<off_t>(offset), SEEK_DATA);
        if (begin < 0) return errno == ENXIO ? Extent{size_, size_} : Extent{offset, size_};
        const off_t end = ::lseek(descriptor_, begin, SEEK_HOLE);
        const auto first = std::min(size_, static_cast<uint64_t>(begin));
        return {first, end < 0 ? size_ : std::min(size_, static_cast<uint64_t>(end))};
    }

private:
    const int descriptor_;
    uint64_t size_ = 0;
};

class MemoryBytes final : public ByteSource {
public:
    explicit MemoryBytes(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {}

    uint64_t size() const override { return bytes_.size(); }

    size_t read(uint64_t offset, void* to, size_t length) const override {
        if (offset >= bytes_.size()) return 0;
        length = static_cast<size_t>(std::min<uint64_t>(length, bytes_.size() - offset));
        std::memcpy(to, bytes_.data() + offset, length);
        return length;
    }

private:
    const std::vector<uint8_t> bytes_;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> ByteSource::open(const std::string& path) {
    // O_NONBLOCK: a FIFO of that name must not hang us.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        return Error{path, 0, std::string("cannot be opened: ") + std::strerror(errno), ""};
    }
    auto source = std::make_unique<FileBytes>(descriptor);
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) {
        return Error{path, 0, std::string("cannot be read: ") + std::strerror(errno), ""};
    }
    if (!S_ISREG(status.st_mode)) {
        return Error{path, 0, "is not a regular file", "give the path of a trace file"};
    }
    source->set_size(static_cast<uint64_t>(status.st_size));
    return std::unique_ptr<ByteSource>(std::move(source));
}

std::unique_ptr<ByteSource> ByteSource::from_bytes(std::vector<uint8_t> bytes) {
    return std::make_unique<MemoryBytes>(std::move(bytes));
}

}  // namespace lastref
