// Mappings that are never unmapped.
//
// Truth: Region::reserve maps 5 regions of 64 KiB; 3 are unmapped whole, in one, in two and in
// three calls; of the fourth the second half is unmapped; the fifth stays. So 2 mappings leak,
// 96 KiB in all. Two more regions, mapped side by side in Region::side_by_side, are ended by one
// munmap over both.
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

#define FRAME __attribute__((noinline))

constexpr size_t kSize = 64 * 1024;
constexpr int kProtection = PROT_READ | PROT_WRITE, kFlags = MAP_PRIVATE | MAP_ANONYMOUS;

struct Region {
    FRAME static char* reserve() {
        void* memory = mmap(nullptr, kSize, kProtection, kFlags, -1, 0);
        if (memory == MAP_FAILED) std::abort();
        return static_cast<char*>(memory);
    }
    // Two mappings in the place of one.
    FRAME static char* side_by_side() {
        char* memory = reserve();
        for (size_t offset = 0; offset < kSize; offset += kSize / 2)
            if (mmap(memory + offset, kSize / 2, kProtection, kFlags | MAP_FIXED, -1, 0) ==
                MAP_FAILED)
                std::abort();
        return memory;
    }
};

static void unmap(char* memory, size_t size) {
    if (munmap(memory, size) != 0) std::abort();
}

int main() {
    char* regions[5];
    for (char*& region : regions) region = Region::reserve();
    unmap(regions[0], kSize);
    unmap(regions[1], kSize / 4);
    unmap(regions[1] + kSize / 4, kSize - kSize / 4);
    unmap(regions[2] + kSize / 4, kSize / 4);
    unmap(regions[2], kSize / 4);
    unmap(regions[2] + kSize / 2, kSize / 2);
    unmap(regions[3] + kSize / 2, kSize / 2);
    unmap(Region::side_by_side(), kSize);
    std::puts("mapped");
}
