#include "startup_arena.h"

#include <atomic>

namespace lastref::startup_arena {
namespace {

std::atomic<size_t> used;

}  // namespace

void* allocate(size_t size) {
    if (size > sizeof(memory)) return nullptr;
    size = (size + 15) & ~size_t{15};
    const size_t at = used.fetch_add(size, std::memory_order_relaxed);
    return at + size <= sizeof(memory) ? memory + at : nullptr;
}

size_t size_from(const void* block) {
    return static_cast<size_t>(memory + sizeof(memory) - static_cast<const uint8_t*>(block));
}

}  // namespace lastref::startup_arena
