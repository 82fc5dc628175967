// Memory for allocations that arrive while the real allocator is still being looked up: dlsym may
// allocate. A fixed array, handed out once, never given back. Owning an address is one compare.
#ifndef LASTREF_SHIM_STARTUP_ARENA_H
#define LASTREF_SHIM_STARTUP_ARENA_H

#include <stddef.h>

namespace lastref::startup_arena {

// Zeroed, aligned to 16; nullptr where the arena is used up. Any thread.
void* allocate(size_t size);
bool owns(const void* block);
// Usable bytes from `block` on.
size_t size_from(const void* block);

}  // namespace lastref::startup_arena

#endif  // LASTREF_SHIM_STARTUP_ARENA_H
