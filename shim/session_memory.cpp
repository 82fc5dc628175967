#include "session_memory.h"

#include <sys/mman.h>

#include "raw_syscall.h"
#include "session.h"

namespace lastref {
namespace {

constexpr uint64_t kSlab = 512u << 10;

// A large table, in huge pages where the kernel gives them: its entries are hit at random, and most
// of the price of that is the page walk.
void* large_table(uint64_t size) {
    constexpr uint64_t kHugePage = 2u << 20;
    if (size < kHugePage) return wiped_on_fork((size + 4095) & ~4095ull);
    size = (size + kHugePage - 1) & ~(kHugePage - 1);
    auto* memory = static_cast<uint8_t*>(wiped_on_fork(size + kHugePage));
    if (!memory) return nullptr;
    const uint64_t before = -reinterpret_cast<uintptr_t>(memory) & (kHugePage - 1);
    if (before != 0) raw::unmap(memory, before);
    raw::unmap(memory + before + size, kHugePage - before);
    raw::call(SYS_madvise, reinterpret_cast<long>(memory + before), static_cast<long>(size),
              MADV_HUGEPAGE);
    return memory + before;
}

}  // namespace

void* wiped_on_fork(uint64_t size) {
    void* memory =
        raw::map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!memory) return nullptr;
    if (raw::failed(raw::call(SYS_madvise, reinterpret_cast<long>(memory), static_cast<long>(size),
                              MADV_WIPEONFORK))) {
        raw::unmap(memory, size);  // Linux before 4.14
        return nullptr;
    }
    return memory;
}

void* session_memory(uint64_t size) {
    Slab& slab = process.session->memory;
    size = (size + 63) & ~63ull;
    if (may_call_kernel() && size >= kSlab / 2) return large_table(size);
    if (size > slab.left && may_call_kernel()) {
        if (void* memory = wiped_on_fork(kSlab)) slab = {static_cast<uint8_t*>(memory), kSlab};
    }
    return slab.take(size);
}

void* inherited_memory(uint64_t size) {
    Slab& slab = process.memory;
    size = (size + 63) & ~63ull;
    if (size > slab.left && may_call_kernel()) {
        const uint64_t fresh = size > kSlab ? size : kSlab;
        void* memory = raw::map(fresh, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory) slab = {static_cast<uint8_t*>(memory), fresh};
    }
    return slab.take(size);
}

}  // namespace lastref
