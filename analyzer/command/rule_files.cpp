#include "command/rule_files.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "command/shim_location.h"

namespace lastref {
namespace {

namespace fs = std::filesystem;

fs::path path_of(const std::string& name) {
    if (name.find('/') != std::string::npos || name.ends_with(".rules")) return name;
    return fs::path(pack_folder()) / (name + ".rules");
}

}  // namespace

std::string error_text(const hooks::RuleError& error) {
    const std::string found = error.found.empty()
                                  ? "the end of the line"
                                  : "'" + std::string(error.found.text, error.found.size) + "'";
    return fmt::format("{}:{}:{}: expected {}, found {}", error.file, error.line, error.column,
                       error.expected, found);
}

std::string pack_folder() {
    const ShimLocation shim = locate_shim();
    if (shim.path.empty()) return {};
    return (fs::path(shim.path).parent_path() / "lastref" / "hooks").string();
}

RuleFiles read_rule_files(const std::vector<std::string>& names) {
    RuleFiles files;
    files.rules = std::make_unique<hooks::RuleSet>();
    for (const std::string& name : names) {
        std::error_code error;
        const fs::path path = fs::absolute(path_of(name), error);
        std::ifstream in(path, std::ios::binary);
        if (!in || fs::is_directory(path, error)) {
            files.missing.push_back(fmt::format(
                "{}: can't be read (see `lastref hooks list` for the built-in packs; a file's name "
                "holds a slash or ends in .rules)",
                path.string()));
            continue;
        }
        if (path.string().find(',') != std::string::npos) {
            files.missing.push_back(path.string() + ": a rule file's path can't hold a comma");
            continue;
        }
        files.paths.push_back(path.string());
        files.kept.push_back(path.string());
        const std::string& kept_path = files.kept.back();
        files.kept.emplace_back(std::istreambuf_iterator<char>(in),
                                std::istreambuf_iterator<char>());
        const std::string& text = files.kept.back();
        hooks::parse_rules(
            *files.rules, kept_path.c_str(), text.data(), text.size(),
            [](void* to, const hooks::RuleError& wrong) {
                static_cast<RuleFiles*>(to)->errors.push_back(error_text(wrong));
            },
            &files);
    }
    return files;
}

}  // namespace lastref
