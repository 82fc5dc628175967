#include "hook_thread.h"

#include <errno.h>

#include "raw_syscall.h"
#include "session.h"

namespace lastref::hooks {
namespace {

constexpr uintptr_t kPageBits = 12;
constexpr uintptr_t kUserEnd = uintptr_t{1} << 47;

bool page_is_readable(HookThread& thread, uintptr_t number) {
    HookThread::Page& page = thread.pages[number % HookThread::kPages];
    if (page.number == number && thread.reads < page.until) [[likely]]
        return true;
    // The kernel reads the new signal mask before it looks at `how`: EINVAL is a good address.
    if (!may_call_kernel() ||
        raw::call(SYS_rt_sigprocmask, -1, static_cast<long>(number << kPageBits), 0,
                  sizeof(uint64_t)) == -EFAULT) {
        return false;
    }
    page = {number, thread.reads + kTrusted};
    return true;
}

unsigned size_of(Width width) {
    switch (width) {
        case Width::kU8:
            return 1;
        case Width::kU16:
            return 2;
        case Width::kU32:
        case Width::kI32:
            return 4;
        default:
            return 8;
    }
}

template <typename T>
int64_t load(uintptr_t address) {
    T value;
    __builtin_memcpy(&value, reinterpret_cast<const void*>(address), sizeof(value));
    return static_cast<int64_t>(value);
}

}  // namespace

Read read_memory(HookThread& thread, uintptr_t address, Width width, int64_t& value) {
    if (address >> kPageBits == 0) return Read::kNull;
    const uintptr_t last = address + size_of(width) - 1;
    thread.reads++;
    if (last >= kUserEnd || !page_is_readable(thread, address >> kPageBits) ||
        (last >> kPageBits != address >> kPageBits &&
         !page_is_readable(thread, last >> kPageBits))) {
        return Read::kBad;
    }
    switch (width) {
        case Width::kU8:
            value = load<uint8_t>(address);
            break;
        case Width::kU16:
            value = load<uint16_t>(address);
            break;
        case Width::kU32:
            value = load<uint32_t>(address);
            break;
        case Width::kI32:
            value = load<int32_t>(address);
            break;
        default:
            value = load<int64_t>(address);
            break;
    }
    return Read::kDone;
}

}  // namespace lastref::hooks
