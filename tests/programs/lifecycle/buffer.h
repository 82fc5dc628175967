// A reference-counted buffer for the programs of this folder, which reports its operations to
// lastref.
//
// Its memory is a static array whose parts are never used twice: programs may do to a dead buffer
// what would be undefined on the heap, and the trace holds no heap blocks but the runtime's own.
#ifndef LIFECYCLE_BUFFER_H
#define LIFECYCLE_BUFFER_H

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include <lastref/lastref.h>

// Keeps a function in the stacks that tests look at.
#define FRAME __attribute__((noinline))

class Buffer {
public:
    static constexpr size_t kSize = 64;

    // A new buffer, with count 1.
    FRAME static Buffer* create(const char* type) {
        const size_t index = next_.fetch_add(1);
        if (index >= kMost) std::abort();
        Buffer* buffer = &memory_[index];
        buffer->count_ = 1;
        lastref_create(buffer, kSize, type);
        return buffer;
    }
    FRAME void retain() {
        ++count_;
        lastref_retain(this);
    }
    FRAME void release() {
        lastref_release(this);
        --count_;
    }
    // For operations that an incomplete set of hooks does not see.
    void retain_unseen() { ++count_; }
    void release_unseen() { --count_; }

    int count() const { return count_; }

private:
    static constexpr size_t kMost = 8192;
    static Buffer memory_[kMost];
    static std::atomic<size_t> next_;

    std::atomic<int> count_{0};
    char payload_[kSize - sizeof(std::atomic<int>)];
};

inline Buffer Buffer::memory_[Buffer::kMost];
inline std::atomic<size_t> Buffer::next_{0};

#endif
