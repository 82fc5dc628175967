// Memory mappings and the program break. glibc's own calls (thread stacks, the heap's growth, the
// loader) do not pass here: they are not the program's.
// The build may ask for 64-bit file offsets, which would make mmap another name for mmap64.
#undef _FILE_OFFSET_BITS

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include "interpose.h"
#include "raw_syscall.h"
#include "real_functions.h"
#include "recorder.h"

using lastref::real;
namespace recorder = lastref::recorder;
using recorder::FailedCall;

namespace {

void* map(void* (*function)(void*, size_t, int, int, int, off_t), void* address, size_t size,
          int protection, int flags, int fd, off_t offset, const lastref::CallSite& site) {
    if (!function) {
        // The heap's first call is on its way through dlsym.
        const long result =
            lastref::raw::call(SYS_mmap, reinterpret_cast<long>(address), static_cast<long>(size),
                               protection, flags, fd, offset);
        if (!lastref::raw::failed(result)) return reinterpret_cast<void*>(result);
        errno = static_cast<int>(-result);
        return MAP_FAILED;
    }
    void* result = function(address, size, protection, flags, fd, offset);
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
    if (!real.mmap) lastref::find_real_functions();
    return map(real.mmap, address, size, protection, flags, fd, offset, LASTREF_CALLER);
}

LASTREF_INTERPOSE void* mmap64(void* address, size_t size, int protection, int flags, int fd,
                               off64_t offset) noexcept {
    if (!real.mmap64) lastref::find_real_functions();
    return map(real.mmap64, address, size, protection, flags, fd, offset, LASTREF_CALLER);
}

LASTREF_INTERPOSE int munmap(void* address, size_t size) noexcept {
    if (!real.munmap) lastref::find_real_functions();
    if (!real.munmap) {
        const long error = lastref::raw::call(SYS_munmap, reinterpret_cast<long>(address),
                                              static_cast<long>(size));
        if (error == 0) return 0;
        errno = static_cast<int>(-error);
        return -1;
    }
    recorder::mapping_ends(address, size, LASTREF_CALLER);
    const int result = real.munmap(address, size);
    if (result != 0) recorder::mapping_did_not_end(address, size);
    return result;
}

LASTREF_INTERPOSE void* mremap(void* old_address, size_t old_size, size_t new_size, int flags,
                               ...) noexcept {
    if (!real.mremap) lastref::find_real_functions();
    void* fixed = nullptr;
    if (flags & MREMAP_FIXED) {
        va_list arguments;
        va_start(arguments, flags);
        fixed = va_arg(arguments, void*);
        va_end(arguments);
    }
    recorder::remap_begins(old_address, old_size);
    void* result = real.mremap(old_address, old_size, new_size, flags, fixed);
    recorder::remap_done(old_address, result == MAP_FAILED ? nullptr : result, old_size, new_size,
                         LASTREF_CALLER);
    return result;
}

LASTREF_INTERPOSE int brk(void* end) noexcept {
    if (!real.brk) lastref::find_real_functions();
    const int result = real.brk(end);
    if (result == 0)
        recorder::break_moved(end, 0, LASTREF_CALLER);
    else
        recorder::mapping_failed(FailedCall::kBreak, 0, LASTREF_CALLER);
    return result;
}

LASTREF_INTERPOSE void* sbrk(intptr_t increment) noexcept {
    if (!real.sbrk) lastref::find_real_functions();
    void* before = real.sbrk(increment);
    if (before == reinterpret_cast<void*>(-1)) {
        recorder::mapping_failed(FailedCall::kBreak, static_cast<size_t>(increment),
                                 LASTREF_CALLER);
    } else if (increment != 0) {
        recorder::break_moved(static_cast<char*>(before) + increment, increment, LASTREF_CALLER);
    }
    return before;
}

}  // extern "C"
