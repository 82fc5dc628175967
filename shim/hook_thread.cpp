#include "hook_thread.h"

#include "page_probe.h"
#include "session.h"

namespace lastref::hooks {
namespace {

constexpr uintptr_t kUserEnd = uintptr_t{1} << 47;

bool page_is_readable(HookThread& thread, uintptr_t number) {
    if (thread.page(number) == number) [[likely]]
        return true;
    if (!may_call_kernel() || !page_readable(number << kPageBits)) return false;
    thread.page(number) = number;
    return true;
}

}  // namespace

Read probe_memory(HookThread& thread, uintptr_t address, unsigned size) {
    if (address >> kPageBits == 0) return Read::kNull;
    const uintptr_t last = address + size - 1;
    if (last >= kUserEnd || !page_is_readable(thread, address >> kPageBits) ||
        (last >> kPageBits != address >> kPageBits &&
         !page_is_readable(thread, last >> kPageBits))) {
        return Read::kBad;
    }
    return Read::kDone;
}

}  // namespace lastref::hooks
