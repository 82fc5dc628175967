// Row 25 of doc/lifecycle-bugs.md: memory that goes away under a buffer whose count is above zero.
//
// Truth: 6 buffers 'HeapBuffer' of count 2 whose block is freed in Cleaner::free_block, and one
// 'MappedBuffer' of count 1 whose mapping is unmapped in Cleaner::unmap. 20 more of type
// 'HeapBuffer' are released to zero and freed after that, as it should be. No block and no mapping
// leaks, and no buffer does: all are gone.
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

#include <lastref/lastref.h>

#define FRAME __attribute__((noinline))

constexpr size_t kSize = 200;

FRAME static void* make_buffer() {
    void* buffer = std::malloc(kSize);
    lastref_create(buffer, kSize, "HeapBuffer");
    return buffer;
}

struct Cleaner {
    FRAME void free_block(void* buffer) {
        std::free(buffer);
        ++done;
    }
    FRAME void unmap(void* memory, size_t size) {
        munmap(memory, size);
        ++done;
    }
    int done = 0;
};

int main() {
    Cleaner cleaner;
    for (int i = 0; i < 20; ++i) {
        void* buffer = make_buffer();
        lastref_release(buffer);
        std::free(buffer);
    }
    for (int i = 0; i < 6; ++i) {
        void* buffer = make_buffer();
        lastref_retain(buffer);
        cleaner.free_block(buffer);
    }
    const size_t pages = 4 * 4096;
    void* memory = mmap(nullptr, pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 1;
    lastref_create(memory, pages, "MappedBuffer");
    cleaner.unmap(memory, pages);
    std::printf("%d cleaned\n", cleaner.done);
}
