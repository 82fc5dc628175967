#include "command/run_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace lastref {
namespace {

constexpr const char* kDefaultName = "lastref.%e.%p.trace";

std::string why_directory_fails(const std::string& directory) {
    struct stat status;
    if (stat(directory.c_str(), &status) != 0)
        return fmt::format("the directory {} can't be used: {}", directory, strerror(errno));
    if (!S_ISDIR(status.st_mode)) return directory + " is not a directory";
    if (faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
        return fmt::format("the directory {} can't be written to: {}", directory, strerror(errno));
    return {};
}

}  // namespace

RunOutput resolve_output(const std::string& output) {
    RunOutput result;
    std::error_code error;
    std::filesystem::path path =
        std::filesystem::absolute(output.empty() ? kDefaultName : output, error);
    if (error) {
        result.error = "the working directory can't be found: " + error.message();
        return result;
    }
    result.pattern = path.string();
    result.directory = path.parent_path().string();
    if (path.filename().empty() || path.filename() == "." || path.filename() == "..") {
        result.error = fmt::format("{}: a file name is wanted, not a directory", output);
        return result;
    }
    // The traces are looked for in one place afterwards.
    if (result.directory.find('%') != std::string::npos) {
        result.error = fmt::format("{}: '%' may stand in the file's name only", result.directory);
        return result;
    }
    result.error = why_directory_fails(result.directory);
    struct stat status;
    if (result.error.empty() && lstat(result.pattern.c_str(), &status) == 0)
        result.error = S_ISDIR(status.st_mode)
                           ? fmt::format("{} is a directory: a file name is wanted", result.pattern)
                           : fmt::format(
                                 "{} exists and is never overwritten: remove it or choose "
                                 "another name",
                                 result.pattern);
    return result;
}

}  // namespace lastref
