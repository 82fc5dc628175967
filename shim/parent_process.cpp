#include "parent_process.h"

#include <string.h>

#include "raw_syscall.h"
#include "text.h"

namespace lastref {

bool parent_follows_no_children() {
    char path[40];
    Text name(path, sizeof(path));
    name.add("/proc/").add_number(static_cast<uint64_t>(raw::call(SYS_getppid))).add("/environ");
    const int fd = raw::open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return false;
    bool is_preloaded = false, is_alone = false;
    char entry[1024];  // what is longer is cut: the shim's name stands in front as a rule
    char bytes[1024];
    size_t size = 0;
    long got;
    while ((got = raw::read(fd, bytes, sizeof(bytes))) > 0 && !raw::failed(got)) {
        for (long i = 0; i < got; i++) {
            entry[size] = bytes[i];
            if (bytes[i] != 0) {
                if (size + 2 < sizeof(entry)) size++;
                continue;
            }
            is_preloaded |= strncmp(entry, "LD_PRELOAD=", 11) == 0 && strstr(entry, "liblastref");
            is_alone |= strcmp(entry, "LASTREF_FOLLOW_FORK=0") == 0;
            size = 0;
        }
    }
    raw::close(fd);
    return is_preloaded && is_alone;
}

bool parent_is_traced() {
    char path[40];
    Text name(path, sizeof(path));
    name.add("/proc/").add_number(static_cast<uint64_t>(raw::call(SYS_getppid))).add("/maps");
    const int fd = raw::open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return true;
    constexpr char kName[] = "/liblastref";
    constexpr size_t kLength = sizeof(kName) - 1;
    char bytes[1024];
    size_t matched = 0;  // characters of the name, of which only the first is a '/'
    long got;
    while (matched < kLength && (got = raw::read(fd, bytes, sizeof(bytes))) > 0 &&
           !raw::failed(got)) {
        for (long i = 0; i < got && matched < kLength; i++) {
            matched = bytes[i] == kName[matched] ? matched + 1 : bytes[i] == kName[0];
        }
    }
    raw::close(fd);
    return matched == kLength;
}

}  // namespace lastref
