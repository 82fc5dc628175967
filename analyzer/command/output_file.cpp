#include "command/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace lastref {
namespace {

// False with errno where not all could be written.
bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        ssize_t written = write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.remove_prefix(static_cast<size_t>(written));
    }
    return true;
}

std::string failure(const std::string& name) {
    return fmt::format("{}: can't be written: {}", name, strerror(errno));
}

std::string write_stream(int fd, const std::string& name, std::string_view text) {
    std::signal(SIGPIPE, SIG_IGN);
    if (!write_all(fd, text) && errno != EPIPE) return failure(name);
    return {};
}

std::string replace_file(const std::string& path, std::string_view text) {
    std::string temporary = path + ".XXXXXX";
    int fd = mkostemp(temporary.data(), O_CLOEXEC);
    if (fd < 0) return failure(path);
    mode_t mask = umask(0);
    umask(mask);
    bool is_whole = write_all(fd, text) && fchmod(fd, 0666 & ~mask) == 0;
    int error = errno;
    if (close(fd) != 0 && is_whole) {
        is_whole = false;
        error = errno;
    }
    if (is_whole && rename(temporary.c_str(), path.c_str()) == 0) return {};
    if (is_whole) error = errno;
    unlink(temporary.c_str());
    errno = error;
    return failure(path);
}

}  // namespace

std::string write_output(const std::string& path, std::string_view text) {
    if (path.empty()) return write_stream(STDOUT_FILENO, "standard output", text);
    struct stat status;
    if (stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode))
        return replace_file(path, text);
    int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return failure(path);
    std::string reason = write_stream(fd, path, text);
    close(fd);
    return reason;
}

}  // namespace lastref
