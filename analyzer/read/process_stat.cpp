#include "read/process_stat.h"

#include <fstream>
#include <sstream>
#include <string>

namespace lastref {

std::optional<ProcessStat> process_stat(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    // Where the process goes away in between, reading fails: by rdbuf() that is no exception.
    std::ostringstream content;
    content << file.rdbuf();
    const std::string text = content.str();
    // The name in parentheses may hold anything, so fields count from its last parenthesis.
    const size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream fields(text.substr(name_end + 1));
    ProcessStat stat;
    fields >> stat.state;
    std::string field;
    for (int number = 4; number < 22; ++number) fields >> field;
    fields >> stat.start;
    if (!fields) return std::nullopt;
    return stat;
}

}  // namespace lastref
