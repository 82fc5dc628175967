#include "messages.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "parent_process.h"
#include "raw_syscall.h"
#include "session.h"
#include "text.h"

namespace lastref {
namespace {

bool stat_descriptor(int fd, struct stat& info) {
    return !raw::failed(raw::call(SYS_fstat, fd, reinterpret_cast<long>(&info)));
}

bool is_first_of_tree() {
    return process.messages.parent == static_cast<int32_t>(raw::call(SYS_getppid)) &&
           !parent_is_traced();
}

bool may_speak() {
    const MessageState& state = process.messages;
    struct stat info;
    return state.is_possible && !state.said && may_call_kernel() && stat_descriptor(2, info) &&
           info.st_dev == state.device && info.st_ino == state.inode &&
           (process.config.verbose || is_first_of_tree());
}

}  // namespace

void prepare_messages() {
    MessageState& state = process.messages;
    struct stat output, errors;
    if (!stat_descriptor(2, errors)) return;
    const bool is_output = stat_descriptor(1, output) && output.st_dev == errors.st_dev &&
                           output.st_ino == errors.st_ino;
    state.is_possible = !is_output || S_ISCHR(errors.st_mode);
    state.device = errors.st_dev;
    state.inode = errors.st_ino;
    state.parent = static_cast<int32_t>(raw::call(SYS_getppid));
}

void note_said(const char* message, bool aloud) {
    trace::TraceHeader* const header = process.file.header;
    if (!header || header->said[0] != 0) return;
    Text(header->said, sizeof(header->said)).add(message);
    header->said_aloud = aloud;
}

void say(const char* message, const char* more, const char* and_more, const char* still_more) {
    const char* const parts[] = {"lastref: ", message, more, and_more, still_more, "\n"};
    constexpr int kParts = sizeof(parts) / sizeof(parts[0]);
    const bool aloud = may_speak();
    char noted[sizeof(trace::TraceHeader::said)];
    Text text(noted, sizeof(noted));
    iovec pieces[kParts];
    for (int i = 0; i < kParts; i++) {
        pieces[i] = {const_cast<char*>(parts[i]), strlen(parts[i])};
        if (i != 0 && i != kParts - 1) text.add(parts[i]);
    }
    note_said(noted, aloud);
    if (!aloud) return;
    process.messages.said = true;
    raw::call(SYS_writev, 2, reinterpret_cast<long>(pieces), kParts);
}

void say_more(const char* message) {
    process.messages.said = false;
    say(message);
}

}  // namespace lastref
