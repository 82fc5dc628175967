// Replaces operator new and delete, counting; they call malloc and free. 4,001 bytes by new, 4,002
// by new[], 4,003 through a library's std::string.
//
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <new>
#include <string>

#include "program.h"

namespace {
long news, deletes;
}

void* operator new(std::size_t size) {
    news++;
    if (void* block = malloc(size ? size : 1)) return block;
    throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
    deletes++;
    free(block);
}
void operator delete(void* block, std::size_t) noexcept {
    operator delete(block);
}

struct Large {
    char bytes[4001];
};

int main() {
    for (int i = 0; i < 100; i++) {
        auto* one = static_cast<Large*>(kept(new Large));
        delete one;
        auto* many = static_cast<char*>(kept(new char[4002]));
        delete[] many;
        std::string text(4002, 'x');  // and its NUL
        CHECK(kept(text.data()) != nullptr);
    }
    printf("%ld new, %ld delete\n", news, deletes);
    return 0;
}
