// A library laid out in memory as the loader would, for the relocation check (relocation.cpp):
// without relocations, since its code has none, and with words in place of its data that point into
// an arena, each place to another one.
#ifndef LASTREF_TESTS_LAID_OUT_LIBRARY_H
#define LASTREF_TESTS_LAID_OUT_LIBRARY_H

#include <cstdint>
#include <vector>

#include "hook_elf.h"

inline constexpr uint64_t kNear = 1u << 20;   // where moved code lies, below the library
inline constexpr uint64_t kArena = 2u << 20;  // what pointers point to, and the stack

uint64_t mixed(uint64_t value);  // a number that looks drawn

class Library {
public:
    bool open(const char* path);  // once
    Library() = default;
    ~Library();
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    lastref::hooks::ElfImage elf;
    uint64_t bias() const { return reinterpret_cast<uint64_t>(memory_) + kNear - low_; }
    uint8_t* near() const { return memory_; }
    uint64_t arena() const { return reinterpret_cast<uint64_t>(arena_); }

    struct Range {
        uint64_t begin, size;
    };
    // Addresses in memory: sections of instructions; what is filled, the arena last.
    std::vector<Range> code, data;

private:
    uint8_t* file_ = nullptr;
    uint64_t file_size_ = 0;
    uint8_t* memory_ = nullptr;
    uint8_t* arena_ = nullptr;
    uint64_t low_ = 0, span_ = 0;
};

#endif  // LASTREF_TESTS_LAID_OUT_LIBRARY_H
