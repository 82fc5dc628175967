// Whether memory can be read, without reading it.
#ifndef LASTREF_SHIM_PAGE_PROBE_H
#define LASTREF_SHIM_PAGE_PROBE_H

#include <errno.h>
#include <stdint.h>

#include "raw_syscall.h"

namespace lastref {

// For the page at this address. The kernel copies the new signal mask from user memory before it
// looks at `how`, so a bad address gives EFAULT and a good one EINVAL. A null one means "no mask"
// and is not read.
inline bool page_readable(uintptr_t page) {
    return page != 0 && raw::call(SYS_rt_sigprocmask, -1, static_cast<long>(page), 0,
                                  sizeof(uint64_t)) != -EFAULT;
}

}  // namespace lastref

#endif  // LASTREF_SHIM_PAGE_PROBE_H
