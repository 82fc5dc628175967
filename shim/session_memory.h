// The shim's own memory: never from the program's heap, never given back.
#ifndef LASTREF_SHIM_SESSION_MEMORY_H
#define LASTREF_SHIM_SESSION_MEMORY_H

#include <stdint.h>

namespace lastref {

// Memory handed out front to back, never given back. Zeroed.
struct Slab {
    uint8_t* memory;
    uint64_t left;

    void* take(uint64_t size) {
        if (size > left) return nullptr;
        uint8_t* result = memory;
        memory += size;
        left -= size;
        return result;
    }
};

// Zeroed pages that the kernel zeroes again in a forked child; nullptr where there are none.
void* wiped_on_fork(uint64_t size);

// Zeroed memory for the life of the session, gone in a forked child; nullptr where there is none.
// Under the session's lock.
void* session_memory(uint64_t size);

// The same, but a forked child finds it as it was.
void* inherited_memory(uint64_t size);

}  // namespace lastref

#endif  // LASTREF_SHIM_SESSION_MEMORY_H
