// Writing code: jumps at function entries, and memory near enough for them to reach.
//
// All writing goes through /proc/self/mem, which works on read-only pages without splitting their
// mappings. Only installation passes use this: the constructor, the loader's own lock (dlopen), or
// the session's lock.
#ifndef LASTREF_SHIM_HOOK_CODE_H
#define LASTREF_SHIM_HOOK_CODE_H

#include <stddef.h>
#include <stdint.h>

namespace lastref::hooks {

// One pass of installation: holds /proc/self/mem open.
class CodeWriter {
public:
    CodeWriter();
    ~CodeWriter();
    CodeWriter(const CodeWriter&) = delete;
    CodeWriter& operator=(const CodeWriter&) = delete;

    int error() const { return error_; }  // errno of opening or of the last write that failed
    const char* refused() const { return refused_; }  // what was refused with that error
    bool write(uintptr_t address, const void* bytes, size_t size);
    void no_executable_memory(int error);

private:
    int fd_;
    int error_ = 0;
    const char* refused_ = "code can't be written through /proc/self/mem";
};

// Executable memory from which every address of [low, high) is within a jump's reach. The first 8
// bytes of the block that it lies in hold the address of the common stub.
struct NearBlock {
    uintptr_t begin;
    uint32_t size, used;
    uint32_t users;  // patches whose code is here
};

// A block with at least `size` bytes left; nullptr where none can be had.
NearBlock* near_block(uintptr_t low, uintptr_t high, uint32_t size, CodeWriter& writer);

// A patch whose code is at `code` is gone; with a block's last user the block goes too.
void leave_block(uintptr_t code);

// A function's new entry: pushes `index` and goes to the common stub. Returns its size.
inline constexpr unsigned kEntrySize = 11;
void make_entry(uint8_t (&code)[kEntrySize], uint32_t index, uintptr_t at, const NearBlock& block);

}  // namespace lastref::hooks

extern "C" void lastref_hook_stub();

#endif  // LASTREF_SHIM_HOOK_CODE_H
