// Exceptions thrown through 500 frames, 40 times; each frame owns a block of 9,101 bytes, freed by
// its destructor while the stack unwinds, and every hundredth frame catches and throws again.
//
// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>
#include <string>

#include "program.h"

namespace {

constexpr int kThrows = 40;
constexpr int kDepth = 500;

int destroyed;

struct Owner {
    void* block = kept(malloc(9101));
    ~Owner() {
        free(kept(block));
        destroyed++;
    }
};

__attribute__((noinline)) void descend(int depth) {
    Owner owner;
    if (depth == kDepth) throw std::runtime_error("bottom, reached " + std::to_string(depth));
    if (depth % 100 == 0) {
        try {
            descend(depth + 1);
        } catch (const std::exception&) {
            throw;
        }
    } else {
        descend(depth + 1);
    }
}

}  // namespace

int main() {
    std::string what;
    for (int i = 0; i < kThrows; i++) {
        try {
            descend(1);
        } catch (const std::exception& error) {
            what = error.what();
        }
    }
    printf("%d destroyed, last: %s\n", destroyed, what.c_str());
    return 0;
}
