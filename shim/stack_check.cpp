#include "stack_check.h"

#include <stdlib.h>
#include <atomic>

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include "raw_syscall.h"
#include "text.h"

namespace lastref {
namespace {

constexpr uint32_t kMaxFrames = 1024;

void write_log(const char* text, size_t size) {
    const char* path = getenv("LASTREF_CHECK_LOG");
    const int fd = path ? raw::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (fd < 0) return;
    raw::write(fd, text, size);
    raw::close(fd);
}

void report(const char* what, const StackMemo& memo, const uint64_t* theirs, uint32_t their_count) {
    static char buffer[1u << 16];
    Text text(buffer, sizeof(buffer));
    const auto hex = [&](uint64_t value) {
        for (int shift = 60; shift >= 0; shift -= 4)
            text.add("0123456789abcdef"[value >> shift & 15]);
    };
    text.add(what).add(" end ").add_number(memo.end).add('\n');
    for (uint32_t i = 0; i < memo.count || i < their_count; i++) {
        text.add("  ");
        if (i < memo.count)
            hex(memo.frames[memo.count - 1 - i].pc);
        else
            text.add("-               ");
        text.add("  ");
        if (i < their_count)
            hex(theirs[i]);
        else
            text.add('-');
        text.add('\n');
    }
    write_log(text.c_str(), text.size());
}

}  // namespace

void check_stack(const CallSite& site, const StackMemo& memo, uint32_t id) {
    if (id == 0 || memo.count == 0) return;  // a foreign stack: nothing kept to compare
    static thread_local bool checking __attribute__((tls_model("initial-exec")));
    if (checking) return;
    checking = true;
    static thread_local uint64_t theirs[kMaxFrames] __attribute__((tls_model("initial-exec")));
    unw_context_t context;
    unw_cursor_t cursor;
    uint32_t count = 0;
    bool met = false;
    if (unw_getcontext(&context) == 0 && unw_init_local(&cursor, &context) == 0) {
        do {
            unw_word_t pc = 0, sp = 0;
            unw_get_reg(&cursor, UNW_REG_IP, &pc);
            unw_get_reg(&cursor, UNW_REG_SP, &sp);
            if (pc == 0) break;
            met = met || (pc == site.pc && sp == site.sp);
            if (!met) continue;
            theirs[count++] = pc;
        } while (count < memo.capacity && unw_step(&cursor) > 0);
    }
    static std::atomic<bool> said;
    if (!said.exchange(true)) write_log("comparing\n", 10);
    bool differ = !met || count != memo.count;
    for (uint32_t i = 0; !differ && i < count; i++) {
        differ = theirs[i] != (memo.frames[count - 1 - i].pc & ~trace::kExactPc);
    }
    if (differ) report(met ? "differs" : "not met", memo, theirs, count);
    checking = false;
}

}  // namespace lastref
