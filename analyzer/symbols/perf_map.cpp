#include "symbols/perf_map.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <iterator>

namespace lastref {
namespace {

constexpr size_t kLargestMap = size_t{256} << 20;

// Takes a hexadecimal number and the space behind it off the front of `line`.
bool take_hex(std::string_view& line, uint64_t& value) {
    if (line.starts_with("0x") || line.starts_with("0X")) line.remove_prefix(2);
    auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value, 16);
    if (error != std::errc{} || end == line.data() + line.size() || *end != ' ') return false;
    line.remove_prefix(static_cast<size_t>(end - line.data()) + 1);
    return true;
}

std::string read_own_file(const std::string& path) {
    std::string text;
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return text;
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        (status.st_uid == geteuid() || status.st_uid == 0)) {
        char buffer[1 << 16];
        ssize_t got;
        while (text.size() < kLargestMap && (got = ::read(fd, buffer, sizeof buffer)) > 0)
            text.append(buffer, static_cast<size_t>(got));
    }
    close(fd);
    return text;
}

}  // namespace

PerfMap PerfMap::of_process(int32_t pid) {
    PerfMap map;
    if (pid > 0) map.read(read_own_file("/tmp/perf-" + std::to_string(pid) + ".map"));
    return map;
}

void PerfMap::read(std::string_view text) {
    while (!text.empty()) {
        size_t line_end = text.find('\n');
        // A last line without its end may be half written.
        if (line_end == std::string_view::npos) return;
        std::string_view line = text.substr(0, line_end);
        text.remove_prefix(line_end + 1);
        uint64_t begin = 0, size = 0;
        if (!take_hex(line, begin) || !take_hex(line, size)) continue;
        if (line.empty() || size == 0 || size > UINT64_MAX - begin) continue;
        assign(begin, begin + size, line);
    }
}

void PerfMap::assign(uint64_t begin, uint64_t end, std::string_view name) {
    auto next = code_.lower_bound(begin);
    if (next != code_.begin()) {
        auto before = std::prev(next);
        if (before->second.end > begin) {
            if (before->second.end > end) code_[end] = before->second;
            before->second.end = begin;
        }
    }
    while (next != code_.end() && next->first < end) {
        if (next->second.end > end) {
            Code rest = std::move(next->second);
            code_.erase(next);
            code_[end] = std::move(rest);
            break;
        }
        next = code_.erase(next);
    }
    code_[begin] = Code{end, std::string(name)};
}

std::string_view PerfMap::find(uint64_t address) const {
    auto after = code_.upper_bound(address);
    if (after == code_.begin()) return {};
    const Code& code = std::prev(after)->second;
    return address < code.end ? std::string_view(code.name) : std::string_view();
}

}  // namespace lastref
