#include "gate/line_error.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace lastref {
namespace {

std::string trimmed(const std::string& text) {
    const size_t begin = text.find_first_not_of(" \t\r");
    if (begin == std::string::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

std::vector<Line> split_lines(const std::string& text) {
    std::vector<Line> lines;
    std::istringstream stream(text);
    std::string line;
    for (size_t number = 1; std::getline(stream, line); ++number) {
        line = trimmed(line);
        if (!line.empty() && line.front() != '#') lines.push_back({number, line});
    }
    return lines;
}

std::vector<Line> read_lines(const std::string& path, std::string& error) {
    struct stat status;
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (file && stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
        error = path + ": can't be read: is a directory";
        return {};
    }
    std::ostringstream text;
    if (file) text << file.rdbuf();
    if (!file || file.bad()) {
        error = fmt::format("{}: can't be read: {}", path, strerror(errno ? errno : EIO));
        return {};
    }
    return split_lines(text.str());
}

}  // namespace lastref
