#include "command/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace lastref {

NewFile::NewFile(std::string path) : path_(std::move(path)) {
    struct stat status {};
    if (::lstat(path_.c_str(), &status) == 0) {
        failure_ =
            fail("exists and is never overwritten: remove it or choose another name with -o");
        return;
    }
    const std::string folder = std::filesystem::path(path_).parent_path().string();
    descriptor_ =
        ::open(folder.empty() ? "." : folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor_ < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        temporary_ = path_ + ".XXXXXX";
        descriptor_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
        if (descriptor_ < 0) temporary_.clear();
    }
    if (descriptor_ < 0) failure_ = fail(std::string("can't be written: ") + std::strerror(errno));
}

NewFile::~NewFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

std::string NewFile::keep() {
    const std::string open_file = "/proc/self/fd/" + std::to_string(descriptor_);
    const int status =
        temporary_.empty()
            ? ::linkat(AT_FDCWD, open_file.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW)
            : ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE);
    if (status != 0) return fail(std::string("can't be written: ") + std::strerror(errno));
    temporary_.clear();
    return {};
}

std::string NewFile::fail(const std::string& reason) const {
    return path_ + ": " + reason;
}

}  // namespace lastref
