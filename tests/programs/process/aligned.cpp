// Memory of every kind, each with a size that nothing else uses; what each promises is checked.
// 6,101 posix_memalign 64        6,102 aligned_alloc 128    6,103 memalign 256
// 6,104 valloc                   6,105 pvalloc (rounded up to whole pages: 8,192)
// 6,106 operator new 64          6,107 new[] 64             6,108 nothrow new 64
// 6,109 new, sized delete        6,110 new[], sized         6,111 nothrow new
// 6,112 nothrow new[]            6,113 calloc               6,114 malloc
// 6,115 aligned new, sized and aligned delete               6,117 reallocarray
// 6,118 nothrow aligned new[]
//
// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>

#include <cstdint>
#include <new>

#include "program.h"

namespace {

void check(void* block, std::size_t size, std::size_t alignment) {
    CHECK(block != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(kept(block)) % alignment == 0);
    CHECK(malloc_usable_size(block) >= size);
    memset(block, 0x5a, size);
    printf("%zu\n", size);
}

constexpr auto kAlign = std::align_val_t{64};

}  // namespace

int main() {
    void* block = nullptr;
    CHECK(posix_memalign(&block, 64, 6101) == 0);
    check(block, 6101, 64);
    free(block);
    check(block = aligned_alloc(128, 6102), 6102, 128);
    free(block);
    check(block = memalign(256, 6103), 6103, 256);
    free(block);
    check(block = valloc(6104), 6104, 4096);
    free(block);
    check(block = pvalloc(6105), 8192, 4096);
    free(block);

    check(block = operator new(6106, kAlign), 6106, 64);
    operator delete(block, kAlign);
    check(block = operator new[](6107, kAlign), 6107, 64);
    operator delete[](block, kAlign);
    check(block = operator new(6108, kAlign, std::nothrow), 6108, 64);
    operator delete(block, kAlign, std::nothrow);
    check(block = operator new(6109), 6109, 16);
    operator delete (block, std::size_t{6109});
    check(block = operator new[](6110), 6110, 16);
    operator delete[](block, std::size_t{6110});
    check(block = operator new(6111, std::nothrow), 6111, 16);
    operator delete(block, std::nothrow);
    check(block = operator new[](6112, std::nothrow), 6112, 16);
    operator delete[](block, std::nothrow);
    check(block = calloc(1, 6113), 6113, 16);
    free(block);
    check(block = malloc(6114), 6114, 16);
    free(block);
    check(block = operator new(6115, kAlign), 6115, 64);
    operator delete (block, std::size_t{6115}, kAlign);
    check(block = reallocarray(nullptr, 3, 6116 / 3 + 1), 6117, 16);
    free(block);
    check(block = operator new[](6118, kAlign, std::nothrow), 6118, 64);
    operator delete[](block, kAlign, std::nothrow);

    // Arguments that the standards refuse.
    printf("%d\n", posix_memalign(&block, 3, 100) == EINVAL);
    errno = 0;
    printf("%d\n", posix_memalign(&block, 0, 100) == EINVAL && errno == 0);
    errno = 0;
    printf("%d\n", memalign(std::size_t{1} << 62, std::size_t{1} << 62) == nullptr);
    return 0;
}
