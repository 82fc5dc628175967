#include "command/installed_file.h"

#include <filesystem>
#include <system_error>

namespace lastref {

std::string find_installed_file(const std::string& name, const std::string& folder) {
    namespace fs = std::filesystem;
    std::error_code error;
    const fs::path command = fs::read_symlink("/proc/self/exe", error).parent_path();
    for (const fs::path& candidate : {command / name, command / folder / name}) {
        if (fs::is_regular_file(candidate, error)) return fs::canonical(candidate, error).string();
    }
    return {};
}

}  // namespace lastref
