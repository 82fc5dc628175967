#include "confinement.h"

#include <string.h>

#include "raw_syscall.h"

namespace lastref {
namespace {

// The number behind `name` in a line of /proc/PID/status ("Seccomp:\t2"); false: another line.
bool number_of(const char* line, const char* name, uint32_t& number) {
    const size_t length = strlen(name);
    if (strncmp(line, name, length) != 0) return false;
    number = 0;
    for (const char* p = line + length; *p; p++) {
        if (*p >= '0' && *p <= '9') number = number * 10 + static_cast<uint32_t>(*p - '0');
    }
    return true;
}

}  // namespace

bool count_filters(const char* status_path, uint32_t& filters) {
    const int fd = raw::open(status_path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return false;
    uint32_t mode = 0, number = 0;
    bool found = false;
    char line[32], bytes[512];
    size_t size = 0;
    long got;
    while ((got = raw::read(fd, bytes, sizeof(bytes))) > 0 && !raw::failed(got)) {
        for (long i = 0; i < got; i++) {
            if (bytes[i] != '\n') {
                if (size + 1 < sizeof(line)) line[size++] = bytes[i];
                continue;
            }
            line[size] = 0;
            size = 0;
            found |= number_of(line, "Seccomp:", mode);
            number_of(line, "Seccomp_filters:", number);
        }
    }
    raw::close(fd);
    filters = mode != 0 && number == 0 ? 1 : number;
    return found;
}

bool started_confined(const Config& config) {
    uint32_t own = 0, around = 0;
    if (config.confined || !count_filters("/proc/self/status", own) || own == 0) return false;
    if (config.filters_around != Config::kUnknown) return own > config.filters_around;
    return !count_filters("/proc/1/status", around) || own > around;
}

}  // namespace lastref
