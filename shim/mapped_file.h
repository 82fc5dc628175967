// A file of the disk, mapped for one pass of installation.
#ifndef LASTREF_SHIM_MAPPED_FILE_H
#define LASTREF_SHIM_MAPPED_FILE_H

#include <link.h>
#include <sys/mman.h>

#include "hook_elf.h"
#include "raw_syscall.h"

namespace lastref::hooks {

class MappedFile {
public:
    MappedFile() = default;
    explicit MappedFile(const char* path) { map(path); }
    ~MappedFile() { unmap(); }
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    void map(const char* path) {
        unmap();
        const int fd = raw::open(path, O_RDONLY | O_CLOEXEC, 0);
        if (fd < 0) return;
        const long end = raw::call(SYS_lseek, fd, 0, 2 /* SEEK_END */);
        if (end > 0) {
            size_ = static_cast<size_t>(end);
            bytes_ = static_cast<uint8_t*>(raw::map(size_, PROT_READ, MAP_PRIVATE, fd, 0));
        }
        raw::close(fd);
    }
    bool open(ElfImage& image) const { return bytes_ && image.open(bytes_, size_); }

private:
    void unmap() {
        if (bytes_) raw::unmap(bytes_, size_);
        bytes_ = nullptr;
    }

    uint8_t* bytes_ = nullptr;
    size_t size_ = 0;
};

// The file of a module in the loader's list.
inline const char* file_of(const link_map& map) {
    const bool is_main = map.l_prev == nullptr && (!map.l_name || map.l_name[0] == 0);
    return is_main ? "/proc/self/exe" : map.l_name;
}

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_MAPPED_FILE_H
