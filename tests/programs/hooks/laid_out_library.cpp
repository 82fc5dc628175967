#include "laid_out_library.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

uint64_t mixed(uint64_t value) {
    value = (value ^ value >> 31) * 0x9e3779b97f4a7c15ull;
    return value ^ value >> 29;
}

namespace {

uint8_t* map_memory(uint64_t size, int protection) {
    void* memory =
        mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        std::perror("relocation: mmap");
        std::exit(1);
    }
    return static_cast<uint8_t*>(memory);
}

// Words that point into the arena, each place to another one.
void fill(uint8_t* begin, uint64_t size, const uint8_t* arena) {
    for (uint64_t i = 0; i + 8 <= size; i += 8) {
        const auto at = reinterpret_cast<uint64_t>(begin + i);
        const uint64_t word =
            reinterpret_cast<uint64_t>(arena) + kArena / 4 + mixed(at) % (kArena / 4) / 16 * 16;
        std::memcpy(begin + i, &word, sizeof(word));
    }
}

}  // namespace

Library::~Library() {
    if (file_) munmap(file_, file_size_);
    if (memory_) munmap(memory_, kNear + span_);
    if (arena_) munmap(arena_, kArena);
}

bool Library::open(const char* path) {
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (fd < 0 || fstat(fd, &status) != 0) return false;
    file_size_ = static_cast<uint64_t>(status.st_size);
    void* bytes = mmap(nullptr, file_size_, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED) return false;
    file_ = static_cast<uint8_t*>(bytes);
    if (!elf.open(file_, file_size_)) return false;
    uint64_t high = 0;
    elf.loaded_range(low_, high);
    low_ &= ~4095ull;
    span_ = (high - low_ + 4095) & ~4095ull;
    memory_ = map_memory(kNear + span_, PROT_READ | PROT_WRITE | PROT_EXEC);
    arena_ = map_memory(kArena, PROT_READ | PROT_WRITE);
    fill(arena_, kArena, arena_);
    const auto* header = reinterpret_cast<const Elf64_Ehdr*>(file_);
    const auto* segment = reinterpret_cast<const Elf64_Phdr*>(file_ + header->e_phoff);
    for (unsigned i = 0; i < header->e_phnum; ++i) {
        if (segment[i].p_type != PT_LOAD) continue;
        uint8_t* to = memory_ + kNear + (segment[i].p_vaddr - low_);
        if (segment[i].p_flags & PF_X) {
            size_t available = 0;
            const uint8_t* from = elf.at(segment[i].p_vaddr, available);
            if (from) std::memcpy(to, from, available);
        } else {
            const uint64_t size = segment[i].p_memsz & ~7ull;
            to = reinterpret_cast<uint8_t*>((reinterpret_cast<uint64_t>(to) + 7) & ~7ull);
            fill(to, size, arena_);
            data.push_back({reinterpret_cast<uint64_t>(to), size});
        }
    }
    data.push_back({arena(), kArena});
    const auto* section = reinterpret_cast<const Elf64_Shdr*>(file_ + header->e_shoff);
    for (unsigned i = 0; i < header->e_shnum; ++i) {
        if (section[i].sh_flags & SHF_EXECINSTR)
            code.push_back({bias() + section[i].sh_addr, section[i].sh_size});
    }
    return true;
}
