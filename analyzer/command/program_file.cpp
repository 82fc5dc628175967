#include "command/program_file.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace lastref {
namespace {

constexpr int kScriptDepth = 5;      // as the kernel, BINPRM recursion limit
constexpr size_t kScriptLine = 256;  // as the kernel, BINPRM_BUF_SIZE
constexpr uint16_t kMostSegments = 512;

bool is_executable_file(const std::string& path) {
    struct stat status;
    return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
           faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
}

// A file opened for reading at given places.
class ReadFile {
public:
    explicit ReadFile(const std::string& path)
        : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
    ~ReadFile() {
        if (fd_ >= 0) close(fd_);
    }
    ReadFile(const ReadFile&) = delete;
    ReadFile& operator=(const ReadFile&) = delete;

    bool is_open() const { return fd_ >= 0; }
    std::string read(uint64_t offset, size_t most) const {
        std::string bytes(most, '\0');
        ssize_t got = pread(fd_, bytes.data(), most, static_cast<off_t>(offset));
        bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
        return bytes;
    }
    template <typename T>
    bool read_object(uint64_t offset, T& object) const {
        return pread(fd_, &object, sizeof object, static_cast<off_t>(offset)) == sizeof object;
    }

private:
    int fd_;
};

std::string_view base_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

// Programs that gain rights when they start: the loader drops LD_PRELOAD for them.
std::string why_secure(const std::string& path, const struct stat& status) {
    static constexpr const char* kEnd =
        ": the system forbids preloading into it (run it as its user from a copy without the bit)";
    if (status.st_mode & S_ISUID) return std::string("is a set-uid program") + kEnd;
    if ((status.st_mode & S_ISGID) && (status.st_mode & S_IXGRP))
        return std::string("is a set-gid program") + kEnd;
    if (getxattr(path.c_str(), "security.capability", nullptr, 0) > 0)
        return "has file capabilities: the system forbids preloading into it "
               "(run a copy without them, 'cp' makes one)";
    return {};
}

std::string why_loader_fails(const ReadFile& file, const Elf64_Phdr& segment) {
    std::string loader = file.read(segment.p_offset, std::min<size_t>(segment.p_filesz, 4096));
    loader = loader.c_str();
    if (base_name(loader).starts_with("ld-musl"))
        return "runs on musl libc: lastref's shim needs glibc";
    if (access(loader.c_str(), F_OK) != 0)
        return fmt::format("needs the loader {}, which does not exist here", loader);
    return {};
}

// A program linked with gcc's shared AddressSanitizer starts only where that library comes first.
std::string why_sanitizer_fails(const ReadFile& file, const Elf64_Ehdr& header) {
    uint64_t strings = 0, strings_size = 0;
    std::vector<uint64_t> needed;
    for (uint16_t i = 0; i < std::min(header.e_phnum, kMostSegments); ++i) {
        Elf64_Phdr segment;
        if (!file.read_object(header.e_phoff + i * sizeof segment, segment)) return {};
        if (segment.p_type != PT_DYNAMIC) continue;
        constexpr uint64_t kMostEntries = 4096;
        for (uint64_t at = 0; at < std::min(segment.p_filesz / sizeof(Elf64_Dyn), kMostEntries);
             ++at) {
            Elf64_Dyn entry;
            if (!file.read_object(segment.p_offset + at * sizeof entry, entry)) return {};
            if (entry.d_tag == DT_STRTAB) strings = entry.d_un.d_ptr;
            if (entry.d_tag == DT_STRSZ) strings_size = entry.d_un.d_val;
            if (entry.d_tag == DT_NEEDED) needed.push_back(entry.d_un.d_val);
        }
    }
    for (uint16_t i = 0; i < std::min(header.e_phnum, kMostSegments); ++i) {
        Elf64_Phdr segment;
        if (!file.read_object(header.e_phoff + i * sizeof segment, segment)) return {};
        if (segment.p_type != PT_LOAD || strings < segment.p_vaddr ||
            strings - segment.p_vaddr >= segment.p_filesz) {
            continue;
        }
        for (uint64_t name : needed) {
            if (name >= strings_size) continue;
            const std::string text =
                file.read(segment.p_offset + (strings - segment.p_vaddr) + name, 64);
            if (std::string_view(text.c_str()).starts_with("libasan.so"))
                return "is linked with AddressSanitizer, which must be loaded first and intercepts "
                       "malloc itself: build it without -fsanitize=address";
        }
    }
    return {};
}

std::string why_elf_fails(const ReadFile& file, const std::string& path) {
    Elf64_Ehdr header;
    if (!file.read_object(0, header)) return "is a truncated ELF file";
    if (header.e_ident[EI_CLASS] != ELFCLASS64)
        return "is a 32-bit program: lastref traces 64-bit programs only";
    if (header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_X86_64)
        return fmt::format("is built for another machine (ELF machine {}, not x86-64)",
                           header.e_machine);
    if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
        return "is an ELF file but not a program (an object file or a core dump)";
    if (header.e_phentsize != sizeof(Elf64_Phdr)) return "is a damaged ELF file";
    for (uint16_t i = 0; i < std::min(header.e_phnum, kMostSegments); ++i) {
        Elf64_Phdr segment;
        if (!file.read_object(header.e_phoff + i * sizeof segment, segment)) break;
        if (segment.p_type == PT_INTERP) {
            std::string reason = why_loader_fails(file, segment);
            return reason.empty() ? why_sanitizer_fails(file, header) : reason;
        }
    }
    // The loader itself, run by name, does preload into what it starts.
    if (base_name(path).starts_with("ld-linux")) return {};
    return "is statically linked: no dynamic loader runs that could load lastref's shim";
}

// The interpreter that the kernel takes from a script's first line; empty where it names none.
std::string script_interpreter(std::string line) {
    line = line.substr(0, line.find('\n'));
    size_t begin = line.find_first_not_of(" \t", 2);
    if (begin == std::string::npos) return {};
    return line.substr(begin, line.find_first_of(" \t\r", begin) - begin);
}

std::string why_not_traceable(const std::string& path, int depth);

std::string why_script_fails(const std::string& first_line, int depth) {
    std::string interpreter = script_interpreter(first_line);
    if (interpreter.empty()) return "is a script whose #! line names no interpreter";
    if (depth >= kScriptDepth) return "is a script of a script, too many times over";
    std::string reason = why_not_traceable(interpreter, depth + 1);
    if (reason.empty()) return {};
    return fmt::format("is a script for {}, and that {}", interpreter, reason);
}

std::string why_not_traceable(const std::string& path, int depth) {
    struct stat status;
    if (stat(path.c_str(), &status) != 0) return fmt::format("can't be run: {}", strerror(errno));
    if (S_ISDIR(status.st_mode)) return "is a directory";
    if (!S_ISREG(status.st_mode)) return "is not a regular file";
    if (!is_executable_file(path)) return "is not executable (chmod +x allows it)";
    if (std::string reason = why_secure(path, status); !reason.empty()) return reason;

    ReadFile file(path);
    if (!file.is_open()) return {};  // may be run but not read: the kernel will judge it
    std::string start = file.read(0, kScriptLine);
    if (start.starts_with(ELFMAG)) return why_elf_fails(file, path);
    if (start.starts_with("#!")) return why_script_fails(start, depth);
    if (start.empty()) return "is empty";
    return "is neither an ELF program nor a script that begins with #!";
}

}  // namespace

std::optional<std::string> find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) return name;
    const char* path = std::getenv("PATH");
    std::string_view rest = path ? path : "/bin:/usr/bin";
    std::optional<std::string> not_executable;
    while (true) {
        size_t colon = rest.find(':');
        std::string directory(rest.substr(0, colon));
        std::string candidate = (directory.empty() ? "." : directory) + '/' + name;
        if (is_executable_file(candidate)) return candidate;
        struct stat status;
        if (!not_executable && stat(candidate.c_str(), &status) == 0) not_executable = candidate;
        if (colon == std::string_view::npos) return not_executable;
        rest.remove_prefix(colon + 1);
    }
}

std::string why_not_traceable(const std::string& path) {
    return why_not_traceable(path, 0);
}

}  // namespace lastref
