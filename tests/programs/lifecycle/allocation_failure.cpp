// Allocations that fail, and a program that copes.
//
// Truth: Loader::load_huge asks malloc 3 times for half of the address space and gets null;
// Loader::load_table asks calloc once for a product that overflows; Loader::map_huge asks mmap
// once; Loader::new_huge catches one bad_alloc. 6 failures, no leak, status 0.
#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

#define FRAME __attribute__((noinline))

// Read at run time, or the compiler would know better.
static volatile size_t huge = PTRDIFF_MAX - 4096;

struct Loader {
    FRAME bool load_huge() {
        void* volatile memory = std::malloc(huge);
        return memory == nullptr;
    }
    FRAME bool load_table() {
        void* volatile memory = std::calloc(huge, 16);
        return memory == nullptr;
    }
    FRAME bool map_huge() {
        void* volatile memory = mmap(nullptr, huge, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return memory == MAP_FAILED;
    }
    FRAME bool new_huge() {
        try {
            void* volatile memory = ::operator new(huge);
            return memory == nullptr;
        } catch (const std::bad_alloc&) {
            return true;
        }
    }
};

int main() {
    Loader loader;
    int failed = 0;
    for (int i = 0; i < 3; ++i) failed += loader.load_huge();
    failed += loader.load_table();
    failed += loader.map_huge();
    failed += loader.new_huge();
    std::printf("%d failed\n", failed);
    return failed == 6 ? 0 : 1;
}
