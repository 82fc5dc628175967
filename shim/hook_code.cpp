#include "hook_code.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "raw_syscall.h"

namespace lastref::hooks {
namespace {

constexpr uint32_t kBlockSize = 256u << 10;
constexpr unsigned kBlocks = 128;
constexpr uintptr_t kReach = (1ull << 31) - (1u << 20);  // of rel32, less what one pass may need
constexpr uintptr_t kStep = 1u << 20;

NearBlock blocks[kBlocks];
unsigned block_count;

bool reaches(uintptr_t begin, uintptr_t end, uintptr_t low, uintptr_t high) {
    return (end > low ? end - low : 0) < kReach && (high > begin ? high - begin : 0) < kReach;
}

// An errno; 0: there it is.
int map_at(uintptr_t address) {
    const long result =
        raw::call(SYS_mmap, static_cast<long>(address), kBlockSize, PROT_READ | PROT_EXEC,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (raw::failed(result)) return static_cast<int>(-result);
    if (static_cast<uintptr_t>(result) == address) return 0;
    raw::unmap(reinterpret_cast<void*>(result), kBlockSize);  // Linux before 4.17: a mere hint
    return EEXIST;
}

bool is_forbidden(int error) {
    return error == EPERM || error == EACCES;
}

// Below first: that is where the kernel leaves room.
uintptr_t map_near(uintptr_t low, uintptr_t high, CodeWriter& writer) {
    const uintptr_t first = low & ~(kStep - 1);
    for (uintptr_t distance = kStep; distance < kReach; distance += kStep) {
        const uintptr_t sides[] = {first > distance + kStep ? first - distance : 0,
                                   ((high + kStep - 1) & ~(kStep - 1)) + distance};
        for (const uintptr_t at : sides) {
            if (at == 0 || !reaches(at, at + kBlockSize, low, high)) continue;
            const int error = map_at(at);
            if (error == 0) return at;
            if (is_forbidden(error)) return writer.no_executable_memory(error), 0;
        }
    }
    return 0;
}

}  // namespace

CodeWriter::CodeWriter() : fd_(raw::open("/proc/self/mem", O_RDWR | O_CLOEXEC, 0)) {
    if (fd_ < 0) error_ = -fd_;
}

CodeWriter::~CodeWriter() {
    if (fd_ >= 0) raw::close(fd_);
}

bool CodeWriter::write(uintptr_t address, const void* bytes, size_t size) {
    if (fd_ < 0) return false;
    const long written = raw::call(SYS_pwrite64, fd_, reinterpret_cast<long>(bytes),
                                   static_cast<long>(size), static_cast<long>(address));
    if (written == static_cast<long>(size)) return true;
    error_ = raw::failed(written) ? static_cast<int>(-written) : EIO;
    return false;
}

void CodeWriter::no_executable_memory(int error) {
    error_ = error;
    refused_ = "executable memory can't be had";
}

NearBlock* near_block(uintptr_t low, uintptr_t high, uint32_t size, CodeWriter& writer) {
    for (unsigned i = 0; i < block_count; i++) {
        NearBlock& block = blocks[i];
        if (block.size - block.used >= size &&
            reaches(block.begin, block.begin + block.size, low, high)) {
            return &block;
        }
    }
    if (block_count == kBlocks || size > kBlockSize / 2) return nullptr;
    const uintptr_t begin = map_near(low, high, writer);
    if (begin == 0) return nullptr;
    const auto stub = reinterpret_cast<uintptr_t>(&lastref_hook_stub);
    if (!writer.write(begin, &stub, sizeof(stub))) {
        raw::unmap(reinterpret_cast<void*>(begin), kBlockSize);
        return nullptr;
    }
    blocks[block_count] = {begin, kBlockSize, 16, 0};
    return &blocks[block_count++];
}

void leave_block(uintptr_t code) {
    for (unsigned i = 0; i < block_count; i++) {
        if (code - blocks[i].begin >= blocks[i].size) continue;
        if (--blocks[i].users == 0) {
            raw::unmap(reinterpret_cast<void*>(blocks[i].begin), blocks[i].size);
            blocks[i] = blocks[--block_count];
        }
        return;
    }
}

void make_entry(uint8_t (&code)[kEntrySize], uint32_t index, uintptr_t at, const NearBlock& block) {
    code[0] = 0x68;  // push imm32
    memcpy(code + 1, &index, 4);
    code[5] = 0xff;  // jmp *disp(%rip)
    code[6] = 0x25;
    const auto distance = static_cast<int32_t>(block.begin - (at + kEntrySize));
    memcpy(code + 7, &distance, 4);
}

}  // namespace lastref::hooks
