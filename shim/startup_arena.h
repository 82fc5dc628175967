// Memory for allocations that arrive while the real allocator is still being looked up: dlsym may
// allocate. A fixed array, handed out once, never given back. Owning an address is one compare.
#ifndef LASTREF_SHIM_STARTUP_ARENA_H
#define LASTREF_SHIM_STARTUP_ARENA_H

#include <stddef.h>
#include <stdint.h>

namespace lastref::startup_arena {

alignas(16) inline uint8_t memory[32u << 10];

// Zeroed, aligned to 16; nullptr where the arena is used up. Any thread.
void* allocate(size_t size);
inline bool owns(const void* block) {
    return reinterpret_cast<uintptr_t>(block) - reinterpret_cast<uintptr_t>(memory) <
           sizeof(memory);
}
// Usable bytes from `block` on.
size_t size_from(const void* block);

}  // namespace lastref::startup_arena

#endif  // LASTREF_SHIM_STARTUP_ARENA_H
