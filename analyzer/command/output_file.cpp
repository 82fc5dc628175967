#include "command/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace lastref {

OutputFile::OutputFile(std::string path, mode_t mode) : path_(std::move(path)), mode_(mode) {
    std::signal(SIGPIPE, SIG_IGN);
    struct stat status;
    if (path_.empty()) {
        descriptor_ = STDOUT_FILENO;
    } else if (stat(path_.c_str(), &status) != 0 || S_ISREG(status.st_mode)) {
        temporary_ = path_ + ".XXXXXX";
        descriptor_ = mkostemp(temporary_.data(), O_CLOEXEC);
        if (descriptor_ < 0) temporary_.clear();
    } else {
        descriptor_ = open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    }
    if (descriptor_ < 0) fail();
}

OutputFile::~OutputFile() {
    if (descriptor_ > STDERR_FILENO) close(descriptor_);
    if (!temporary_.empty()) unlink(temporary_.c_str());
}

void OutputFile::fail() {
    if (!failure_.empty()) return;
    failure_ = fmt::format("{}: can't be written: {}", path_.empty() ? "standard output" : path_,
                           strerror(errno));
}

bool OutputFile::write(std::string_view text) {
    while (!text.empty() && failure_.empty() && !closed_) {
        const ssize_t written = ::write(descriptor_, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0 && errno == EPIPE && temporary_.empty()) {
            closed_ = true;
        } else if (written < 0) {
            fail();
        } else {
            text.remove_prefix(static_cast<size_t>(written));
        }
    }
    return failure_.empty() && !closed_;
}

std::string OutputFile::finish() {
    if (temporary_.empty() || !failure_.empty()) return failure_;
    const mode_t mask = umask(0);
    umask(mask);
    if (fchmod(descriptor_, mode_ & ~mask) != 0) fail();
    if (close(std::exchange(descriptor_, -1)) != 0) fail();
    if (failure_.empty() && rename(temporary_.c_str(), path_.c_str()) != 0) fail();
    if (failure_.empty()) temporary_.clear();
    return failure_;
}

std::string write_output(const std::string& path, std::string_view text) {
    OutputFile file(path);
    file.write(text);
    return file.finish();
}

}  // namespace lastref
