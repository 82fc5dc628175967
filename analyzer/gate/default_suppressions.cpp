#include "gate/default_suppressions.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <span>

#include "hook_elf.h"

namespace lastref {
namespace {

constexpr const char* kName = "__lsan_default_suppressions";

// A file's bytes, read-only.
class MappedFile {
public:
    explicit MappedFile(const std::string& path) {
        const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct stat status;
        if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
            size_ = static_cast<size_t>(status.st_size);
            bytes_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
        }
        if (fd >= 0) close(fd);
    }
    ~MappedFile() {
        if (bytes_ != MAP_FAILED) munmap(bytes_, size_);
    }
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    bool is_open() const { return bytes_ != MAP_FAILED; }
    const uint8_t* bytes() const { return static_cast<const uint8_t*>(bytes_); }
    size_t size() const { return size_; }

private:
    void* bytes_ = MAP_FAILED;
    size_t size_ = 0;
};

template <typename T>
T load(const uint8_t* from) {
    T value;
    memcpy(&value, from, sizeof value);
    return value;
}

// The address that the function's code at `address` returns; nothing for code of another shape.
// Instructions: Intel SDM volume 2, in 64-bit mode.
std::optional<uint64_t> returned_address(std::span<const uint8_t> code, uint64_t address) {
    struct Skipped {
        size_t size;
        uint8_t bytes[4];
    };
    static constexpr Skipped kPrologue[] = {
        {4, {0xf3, 0x0f, 0x1e, 0xfa}},  // endbr64
        {1, {0x55}},                    // push rbp
        {3, {0x48, 0x89, 0xe5}},        // mov rbp, rsp
    };
    size_t at = 0;
    for (const Skipped& skipped : kPrologue)
        if (at + skipped.size <= code.size() &&
            memcmp(code.data() + at, skipped.bytes, skipped.size) == 0)
            at += skipped.size;
    std::optional<uint64_t> result;
    if (at + 7 <= code.size() && code[at] == 0x48 && code[at + 1] == 0x8d && code[at + 2] == 0x05) {
        at += 7;  // lea rax, [rip + displacement]
        result = address + at + static_cast<uint64_t>(int64_t{load<int32_t>(&code[at - 4])});
    } else if (at + 5 <= code.size() && code[at] == 0xb8) {
        at += 5;  // mov eax, address
        result = load<uint32_t>(&code[at - 4]);
    }
    while (at < code.size() && (code[at] == 0x5d || code[at] == 0xc9)) ++at;  // pop rbp, leave
    return at < code.size() && code[at] == 0xc3 ? result : std::nullopt;      // ret
}

}  // namespace

DefaultSuppressions default_suppressions(const std::string& program) {
    MappedFile file(program);
    hooks::ElfImage image;
    if (!file.is_open() || !image.open(file.bytes(), file.size())) return {};
    std::optional<hooks::Symbol> function;
    image.for_each_symbol([&](const hooks::Symbol& symbol) {
        if (symbol.type == STT_FUNC && strcmp(symbol.name, kName) == 0) function = symbol;
        return !function;
    });
    if (!function) return {};
    const std::string unknown = std::string(kName) + " of " + program +
                                " does not just return a string literal: copy its suppressions "
                                "to a file and name that with --suppressions";
    size_t available = 0;
    const uint8_t* code = image.at(function->address, available);
    if (!code) return {{}, unknown};
    const auto address = returned_address({code, available}, function->address);
    if (!address) return {{}, unknown};
    const uint8_t* text = image.at(*address, available);
    if (!text || !memchr(text, 0, available)) return {{}, unknown};
    return {reinterpret_cast<const char*>(text), {}};
}

}  // namespace lastref
