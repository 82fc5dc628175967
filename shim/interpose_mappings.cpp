// Memory mappings and the program break. glibc's own calls (thread stacks, the heap's growth, the
// loader) do not pass here: they are not the program's.
// The build may ask for 64-bit file offsets, which would make mmap another name for mmap64.
#undef _FILE_OFFSET_BITS

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include "allocator_guard.h"
#include "interpose.h"
#include "real_functions.h"
#include "recorder.h"

using lastref::real;
namespace recorder = lastref::recorder;
using recorder::FailedCall;

namespace {

// What an allocator maps for itself is its own business, as with the C library's: its calls do not
// pass here. What it unmaps is recorded in any case: it may be of a time before its entries led
// to us.
void* map(void* (*function)(void*, size_t, int, int, int, off_t), void* address, size_t size,
          int protection, int flags, int fd, off_t offset, const lastref::CallSite& site) {
    void* result = function(address, size, protection, flags, fd, offset);
    if (lastref::within_allocator()) return result;
    if (result == MAP_FAILED)
        recorder::mapping_failed(FailedCall::kMmap, size, site);
    else
        recorder::mapping_began(result, size, protection, flags, fd, site);
    return result;
}

}  // namespace

extern "C" {

LASTREF_INTERPOSE void* mmap(void* address, size_t size, int protection, int flags, int fd,
                             off_t offset) noexcept {
    lastref::need_real_functions();
    return map(real.mmap, address, size, protection, flags, fd, offset, LASTREF_CALLER);
}

LASTREF_INTERPOSE void* mmap64(void* address, size_t size, int protection, int flags, int fd,
                               off64_t offset) noexcept {
    lastref::need_real_functions();
    return map(real.mmap64, address, size, protection, flags, fd, offset, LASTREF_CALLER);
}

LASTREF_INTERPOSE int munmap(void* address, size_t size) noexcept {
    lastref::need_real_functions();
    recorder::mapping_ends(address, size, LASTREF_CALLER);
    const int result = real.munmap(address, size);
    if (result != 0) recorder::mapping_did_not_end(address, size);
    return result;
}

LASTREF_INTERPOSE void* mremap(void* old_address, size_t old_size, size_t new_size, int flags,
                               ...) noexcept {
    lastref::need_real_functions();
    void* fixed = nullptr;
    if (flags & MREMAP_FIXED) {
        va_list arguments;
        va_start(arguments, flags);
        fixed = va_arg(arguments, void*);
        va_end(arguments);
    }
    if (lastref::within_allocator()) {
        return real.mremap(old_address, old_size, new_size, flags, fixed);
    }
    recorder::remap_begins(old_address, old_size);
    void* result = real.mremap(old_address, old_size, new_size, flags, fixed);
    recorder::remap_done(old_address, result == MAP_FAILED ? nullptr : result, old_size, new_size,
                         LASTREF_CALLER);
    return result;
}

LASTREF_INTERPOSE int brk(void* end) noexcept {
    lastref::need_real_functions();
    const int result = real.brk(end);
    if (lastref::within_allocator()) return result;
    if (result == 0)
        recorder::break_moved(end, 0, LASTREF_CALLER);
    else
        recorder::mapping_failed(FailedCall::kBreak, 0, LASTREF_CALLER);
    return result;
}

LASTREF_INTERPOSE void* sbrk(intptr_t increment) noexcept {
    lastref::need_real_functions();
    void* before = real.sbrk(increment);
    if (lastref::within_allocator()) return before;
    if (before == reinterpret_cast<void*>(-1)) {
        recorder::mapping_failed(FailedCall::kBreak, static_cast<size_t>(increment),
                                 LASTREF_CALLER);
    } else if (increment != 0) {
        recorder::break_moved(static_cast<char*>(before) + increment, increment, LASTREF_CALLER);
    }
    return before;
}

}  // extern "C"
