// An allocator for large arrays that are read at random: asks the kernel for huge pages, which
// spare most of the page faults and address translations.
#ifndef LASTREF_ANALYZER_READ_HUGE_PAGES_H
#define LASTREF_ANALYZER_READ_HUGE_PAGES_H

#include <sys/mman.h>

#include <cstddef>
#include <new>

namespace lastref {

template <typename T>
struct HugePages {
    using value_type = T;

    HugePages() = default;
    template <typename U>
    explicit HugePages(const HugePages<U>&) {}

    T* allocate(size_t count) {
        const size_t bytes = count * sizeof(T);
        if (bytes < kSize) return static_cast<T*>(::operator new(bytes));
        void* const memory = ::operator new (bytes, std::align_val_t{kSize});
        madvise(memory, bytes / kSize * kSize,
                MADV_HUGEPAGE);  // without them it is slower, no more
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, size_t count) {
        if (count * sizeof(T) < kSize)
            ::operator delete(memory);
        else
            ::operator delete (memory, std::align_val_t{kSize});
    }
    bool operator==(const HugePages&) const = default;

private:
    static constexpr size_t kSize = 2 << 20;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_HUGE_PAGES_H
