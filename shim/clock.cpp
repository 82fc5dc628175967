#include "clock.h"

#include <string.h>

#include "raw_syscall.h"

namespace lastref {

trace::Clock choose_clock() {
    const int fd = raw::open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                             O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return trace::Clock::kMonotonic;
    char name[16] = {};
    raw::read(fd, name, sizeof(name) - 1);
    raw::close(fd);
    return strncmp(name, "tsc\n", 4) == 0 ? trace::Clock::kTsc : trace::Clock::kMonotonic;
}

}  // namespace lastref
