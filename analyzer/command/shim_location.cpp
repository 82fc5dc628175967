#include "command/shim_location.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#ifndef LASTREF_LIBDIR  // set by the build: where the shim is installed, below the prefix
#define LASTREF_LIBDIR "lib"
#endif

namespace lastref {
namespace {

namespace fs = std::filesystem;

constexpr const char* kName = "liblastref.so";

// From the folder that holds the command.
constexpr const char* kFolders[] = {
    ".", "../shim", "../" LASTREF_LIBDIR, "../lib/x86_64-linux-gnu", "../lib64", "../lib"};

ShimLocation usable(const fs::path& path) {
    std::error_code error;
    fs::path absolute = fs::canonical(path, error);
    if (error || !fs::is_regular_file(absolute, error))
        return {{}, fmt::format("{}: no such file", path.string())};
    // The loader splits LD_PRELOAD at both, and knows no quoting (ld.so(8)).
    if (absolute.string().find_first_of(": ") != std::string::npos)
        return {{},
                fmt::format("{}: a path with a space or colon can't be preloaded: "
                            "move it or set LASTREF_SHIM to a copy",
                            absolute.string())};
    return {absolute.string(), {}};
}

}  // namespace

ShimLocation locate_shim() {
    if (const char* chosen = std::getenv("LASTREF_SHIM"); chosen && *chosen) {
        ShimLocation location = usable(chosen);
        if (location.path.empty()) location.reason = "LASTREF_SHIM: " + location.reason;
        return location;
    }
    std::error_code error;
    fs::path command = fs::read_symlink("/proc/self/exe", error);
    for (const char* folder : kFolders) {
        fs::path candidate = command.parent_path() / folder / kName;
        if (!error && fs::is_regular_file(candidate, error)) return usable(candidate);
        error.clear();
    }
    return {{},
            fmt::format("{} is neither beside {} nor in its install or build tree: "
                        "set LASTREF_SHIM to its path",
                        kName, command.string())};
}

}  // namespace lastref
