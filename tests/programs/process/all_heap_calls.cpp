// Calls every heap function that programs have, each kRounds times with sizes of its own, and frees
// what it got: by the function that fits, in threads, too. What is left at the end is said by LEFT.
// Linked to the C library alone or to an allocator, statically; others are preloaded.
//
// Blocks of which size are begun how often:
//   malloc 10001   calloc 3 x 3337   realloc 10021 to 10037   reallocarray 7 x 1433, 7 x 1439
//   posix_memalign 10051   aligned_alloc 10176   memalign 10069   operator new 10079, [] 10091
//   aligned operator new 10093 (libstdc++ rounds it to 10112)   free_sized 10099 (where the C library has it, else free)
//   strdup 10104 (10103 characters)   left for good: malloc 10111
#include <malloc.h>
#include <new>
#include <thread>

#include "program.h"

extern "C" __attribute__((weak)) void free_sized(void*, size_t);

namespace {

constexpr int kRounds = 1000;
constexpr int kThreads = 2;
constexpr int kLeft = 3;

void* touched(void* block) {
    CHECK(block);
    *static_cast<char*>(block) = 1;
    return kept(block);
}

void rounds() {
    static const struct Text {
        char characters[10104];
        Text() : characters() { memset(characters, 'x', sizeof(characters) - 1); }
    } text;
    for (int i = 0; i < kRounds; i++) {
        free(touched(malloc(10001)));
        free(touched(calloc(3, 3337)));
        free(touched(realloc(touched(malloc(10021)), 10037)));
        free(touched(reallocarray(touched(reallocarray(nullptr, 7, 1433)), 7, 1439)));
        void* block = nullptr;
        CHECK(posix_memalign(&block, 64, 10051) == 0);
        free(touched(block));
        free(touched(aligned_alloc(64, 10176)));
        free(touched(memalign(64, 10069)));
        operator delete(touched(operator new(10079)));
        operator delete[](touched(operator new[](10091)));
        const std::align_val_t alignment{128};
        operator delete(touched(operator new(10093, alignment)), alignment);
        block = touched(malloc(10099));
        if (free_sized)
            free_sized(block, 10099);
        else
            free(block);
        free(touched(strdup(text.characters)));
    }
}

}  // namespace

int main() {
    std::thread threads[kThreads];
    for (std::thread& thread : threads) thread = std::thread(rounds);
    for (std::thread& thread : threads) thread.join();
    for (int i = 0; i < kLeft; i++) touched(malloc(10111));
    void* refused = nullptr;
    CHECK(posix_memalign(&refused, 3, 10111) == EINVAL);
    printf("done\n");
}
