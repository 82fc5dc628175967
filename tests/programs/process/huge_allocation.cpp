// Allocations that no machine can satisfy: each way to ask fails as it does without lastref, with
// errno, the old block, exceptions and the new handler in order.
//
// SPDX-License-Identifier: Apache-2.0
#include <sys/mman.h>

#include <cstdint>
#include <new>
#include <vector>

#include "program.h"

namespace {

volatile std::size_t huge = PTRDIFF_MAX - 100;
int handler_calls;

void on_no_memory() {
    if (++handler_calls == 3) std::set_new_handler(nullptr);
}

template <typename Function>
const char* outcome(Function allocate) {
    try {
        return allocate() ? "memory" : "null";
    } catch (const std::bad_alloc&) {
        return "bad_alloc";
    }
}

}  // namespace

int main() {
    errno = 0;
    printf("malloc: %d", kept(malloc(huge)) == nullptr);
    printf(" ENOMEM %d\n", errno == ENOMEM);
    errno = 0;
    printf("calloc: %d", kept(calloc(1, huge)) == nullptr);
    printf(" ENOMEM %d\n", errno == ENOMEM);
    errno = 0;
    printf("aligned_alloc: %d", kept(aligned_alloc(64, huge)) == nullptr);
    printf(" ENOMEM %d\n", errno == ENOMEM);
    int untouched = 0;
    void* block = &untouched;
    errno = 77;
    const int result = posix_memalign(&block, 64, huge);
    printf("posix_memalign: ENOMEM %d, pointer %s\n", result == ENOMEM,
           block == &untouched ? "left alone" : "changed");
    errno = 0;
    printf("mmap: %d",
           mmap(nullptr, huge, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    printf(" ENOMEM %d\n", errno == ENOMEM);

    printf("new: %s\n", outcome([] { return kept(operator new(huge)); }));
    printf("new[]: %s\n", outcome([] { return kept(operator new[](huge)); }));
    printf("nothrow new: %s\n", outcome([] { return kept(operator new(huge, std::nothrow)); }));
    printf("nothrow new[]: %s\n", outcome([] { return kept(operator new[](huge, std::nothrow)); }));
    printf("aligned new: %s\n",
           outcome([] { return kept(operator new (huge, std::align_val_t{64})); }));
    printf("vector: %s\n", outcome([] {
               std::vector<char> bytes;
               bytes.resize(huge - 100);
               return kept(bytes.data());
           }));
    std::set_new_handler(on_no_memory);
    printf("with a handler: %s", outcome([] { return kept(operator new(huge)); }));
    printf(", called %d times\n", handler_calls);
    churn(10, 6201);
    return 0;
}
