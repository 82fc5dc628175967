// The memory that a module's segments span, from its program headers.
#ifndef LASTREF_SHIM_SEGMENT_SPAN_H
#define LASTREF_SHIM_SEGMENT_SPAN_H

#include <link.h>
#include <stdint.h>

namespace lastref {

struct SegmentSpan {
    uintptr_t begin = UINTPTR_MAX, end = 0;

    void add(const ElfW(Phdr) & header, uintptr_t bias) {
        if (header.p_type != PT_LOAD) return;
        constexpr uintptr_t kPage = 4096;
        const uintptr_t first = (bias + header.p_vaddr) & ~(kPage - 1);
        const uintptr_t last = bias + header.p_vaddr + header.p_memsz;
        if (first < begin) begin = first;
        if (last > end) end = last;
    }
    bool holds(uintptr_t address) const { return address >= begin && address < end; }
};

}  // namespace lastref

#endif  // LASTREF_SHIM_SEGMENT_SPAN_H
