#include "stack_check.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <atomic>

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include "frame_rules.h"
#include "module_table.h"
#include "raw_syscall.h"
#include "session.h"
#include "text.h"

namespace lastref {
namespace {

constexpr uint32_t kMaxFrames = 1024;

void write_log(const Text& text) {
    const char* path = getenv("LASTREF_CHECK_LOG");
    const int fd = path ? raw::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (fd < 0) return;
    raw::write(fd, text.c_str(), text.size());
    raw::close(fd);
}

void add_hex(Text& text, uint64_t value) {
    for (int shift = 60; shift >= 0; shift -= 4) text.add("0123456789abcdef"[value >> shift & 15]);
}

struct Frame {
    uint64_t pc;
    bool interrupted;  // by a signal: pc is that instruction's own
};

// The comparison with libunwind. One of few, each with a stack of its own to run libunwind on,
// since the program's may be small.
struct Comparison {
    std::atomic<uint32_t> busy;
    const CallSite* site;
    const StackMemo* memo;
    uint32_t id;
    unw_context_t context;
    Frame frames[kMaxFrames];
    uint32_t count;
    bool met;
    char text[1u << 15];
    alignas(64) uint8_t stack[256u << 10];
};
Comparison comparisons[4];

// All of the first stacks of a process, then one in so many: libunwind is slow.
constexpr uint64_t kFirst = 1u << 15, kInterval = 32;
std::atomic<uint64_t> taken, compared;

// The paths of ids: an id must always be that of the same stack.
constexpr uint32_t kMaxIds = 1u << 20;
std::atomic<uint64_t> paths[kMaxIds];
uint32_t generation;  // that all this belongs to

// Where a handler returns to: mov $15, %rax; syscall. (unw_is_signal_frame reports it only
// sometimes.)
bool is_signal_return(uint64_t pc) {
    static const uint8_t code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    return address_readable(reinterpret_cast<const void*>(pc)) &&
           address_readable(reinterpret_cast<const void*>(pc + sizeof(code))) &&
           memcmp(reinterpret_cast<const void*>(pc), code, sizeof(code)) == 0;
}

bool has_unwind_table(const Frame& frame) {
    unw_proc_info_t info;
    return unw_get_proc_info_by_ip(unw_local_addr_space, frame.pc - !frame.interrupted, &info,
                                   nullptr) == 0;
}

void walk(Comparison& c) {
    unw_cursor_t cursor;
    c.count = 0;
    c.met = false;
    if (unw_init_local(&cursor, &c.context) != 0) return;
    bool interrupted = false;
    do {
        unw_word_t pc = 0, sp = 0;
        unw_get_reg(&cursor, UNW_REG_IP, &pc);
        unw_get_reg(&cursor, UNW_REG_SP, &sp);
        if (pc == 0) break;
        c.met = c.met || (pc == c.site->pc && sp == c.site->sp);
        if (c.met) c.frames[c.count++] = {pc, interrupted};
        interrupted = is_signal_return(pc);
    } while (c.count < c.memo->capacity && c.count < kMaxFrames && unw_step(&cursor) > 0);
}

// Ours, the innermost first.
uint64_t our_pc(const StackMemo& memo, uint32_t index) {
    return memo.frames[memo.count - 1 - index].pc;
}

void report(Comparison& c, const char* what) {
    Text text(c.text, sizeof(c.text));
    text.add(what).add(" end ").add_number(c.memo->end).add('\n');
    for (uint32_t i = 0; i < c.memo->count || i < c.count; i++) {
        text.add("  ");
        if (i < c.memo->count)
            add_hex(text, our_pc(*c.memo, i));
        else
            text.add("-               ");
        text.add("  ");
        if (i < c.count)
            add_hex(text, c.frames[i].pc);
        else
            text.add('-');
        Dl_info info;
        if (i < c.count && dladdr(reinterpret_cast<void*>(c.frames[i].pc), &info)) {
            text.add("  ").add(info.dli_fname).add("  ").add(info.dli_sname ? info.dli_sname : "?");
        }
        text.add('\n');
    }
    write_log(text);
}

// Interrupted at a return whose table still has rbp saved where rbp points: libunwind reads the
// caller's rbp there, and goes astray where a frame further out needs it.
bool is_misled_at_return(const Frame& frame) {
    return frame.interrupted && *reinterpret_cast<const uint8_t*>(frame.pc) == 0xc3 &&
           frame_rule(frame.pc).fp == FpKind::kAtFramePointer;
}

// Interrupted where libgcc lands an exception. The slots of its own frames hold the landing frame's
// registers for a few instructions before it returns there, so both walks come by its table to the
// landing pad with a wrong sp, and from there to whatever lies on the stack.
bool is_landing(const Frame& frame, const Frame& caller) {
    const auto unwinds = [](const Frame& f) {
        Dl_info info;
        return dladdr(reinterpret_cast<void*>(f.pc - 1), &info) && info.dli_sname &&
               strncmp(info.dli_sname, "_Unwind_R", 9) == 0;
    };
    return frame.interrupted && (unwinds(frame) || unwinds(caller));
}

// The two went different ways from a frame that both have. Both may be right where the frame has no
// unwind table: then either may give up, or follow what it takes for a frame pointer. Or where its
// table needs more registers than our rules know: then ours ends. Or libunwind may be misled at an
// interrupted return, and both at a landing. All else is a difference.
void classify(Comparison& c, uint32_t agreed) {
    const Frame& last = c.frames[agreed - 1];
    const bool ours_ends = agreed == c.memo->count, theirs_ends = agreed == c.count;
    const char* kind = nullptr;
    if (!has_unwind_table(last)) {
        kind = ours_ends ? "no-table ours-ends" : theirs_ends ? "no-table theirs-ends" : "no-table";
    } else if (ours_ends && c.memo->end == trace::kStackLost &&
               frame_rule(last.pc - !last.interrupted).cfa == CfaKind::kOther) {
        kind = last.interrupted ? "no-rule interrupted" : "no-rule called";
    }
    for (uint32_t i = 0; i < agreed && !kind; i++) {
        if (is_misled_at_return(c.frames[i])) kind = "at-return";
        if (i + 1 < agreed && is_landing(c.frames[i], c.frames[i + 1])) kind = "landing";
    }
    if (!kind) return report(c, "differs");
    char line[1024];
    Text text(line, sizeof(line));
    Dl_info info;
    const bool found = dladdr(reinterpret_cast<void*>(last.pc), &info) != 0;
    text.add("cut ").add(kind).add(" in ").add(found ? info.dli_fname : "nowhere");
    report(c, line);
}

void check_id(Comparison& c) {
    uint64_t hash = 0xcbf29ce484222325 ^ c.memo->end ^ uint64_t { c.memo->epoch } << 32;
    for (uint32_t i = 0; i < c.memo->count; i++) {
        hash = (hash ^ our_pc(*c.memo, i)) * 0x100000001b3;
        hash ^= hash >> 29;
    }
    if (c.id >= kMaxIds) return;
    uint64_t expected = 0;
    if (!paths[c.id].compare_exchange_strong(expected, hash | 1) && expected != (hash | 1)) {
        report(c, "differs from the stack with this id,");
    }
}

void compare(void* comparison) {
    auto& c = *static_cast<Comparison*>(comparison);
    static std::atomic<uint32_t> epoch;
    const uint32_t present = module_epoch();
    if (epoch.exchange(present) != present) unw_flush_cache(unw_local_addr_space, 0, 0);
    walk(c);
    check_id(c);
    if (!c.met) return report(c, "not met");
    uint32_t agreed = 0;
    while (agreed < c.count && agreed < c.memo->count) {
        const Frame& frame = c.frames[agreed];
        const uint64_t pc = frame.pc | (frame.interrupted ? trace::kExactPc : 0);
        if (pc != our_pc(*c.memo, agreed)) break;
        agreed++;
    }
    const bool cut = c.memo->count == c.memo->capacity;
    if (cut != (c.memo->end == trace::kStackCut) || agreed == 0) return report(c, "differs");
    if (agreed != c.count || agreed != c.memo->count) classify(c, agreed);
}

// function(argument) on a stack that ends at `top`.
__attribute__((noinline)) void call_on(uint8_t* top, void (*function)(void*), void* argument) {
    asm volatile(
        "movq %%rsp, %%rbx\n\t"
        "movq %[top], %%rsp\n\t"
        "callq *%[function]\n\t"
        "movq %%rbx, %%rsp\n\t"
        : "+D"(argument)
        : [top] "r"(top), [function] "r"(function)
        : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
}

Comparison& take_comparison() {
    for (uint32_t i = 0;; i++) {
        Comparison& c = comparisons[i % (sizeof(comparisons) / sizeof(*comparisons))];
        if (c.busy.exchange(1, std::memory_order_acquire) == 0) return c;
        if (i % 64 == 63) raw::call(SYS_sched_yield);
    }
}

// A forked child begins with new ids; the comparisons that its parent's threads were at are not its
// own.
void begin_anew() {
    generation = process.generation;
    for (auto& path : paths) path.store(0, std::memory_order_relaxed);
    for (Comparison& c : comparisons) c.busy.store(0, std::memory_order_relaxed);
}

void write_line(const char* before, uint64_t number, const char* after) {
    char buffer[64];
    Text text(buffer, sizeof(buffer));
    text.add(before).add_number(number).add(after);
    write_log(text);
}

__attribute__((destructor)) void write_count() {
    write_line("compared ", compared.load(), " stacks\n");
}

}  // namespace

void check_stack(const CallSite& site, const StackMemo& memo, uint32_t id) {
    if (id == 0 || memo.count == 0) return;  // nothing kept to compare
    static thread_local bool checking __attribute__((tls_model("initial-exec")));
    const uint64_t number = taken.fetch_add(1, std::memory_order_relaxed);
    if (checking || (number >= kFirst && number % kInterval != 0)) return;
    // Signals wait: a handler might leave by longjmp.
    const uint64_t all = ~0ull;
    uint64_t before = 0;
    raw::call(SYS_rt_sigprocmask, 0, reinterpret_cast<long>(&all), reinterpret_cast<long>(&before),
              sizeof(before));
    checking = true;
    if (generation != process.generation) begin_anew();
    if (compared.fetch_add(1) == 0) write_line("comparing, ", memo.capacity, " frames at most\n");
    Comparison& c = take_comparison();
    c.site = &site;
    c.memo = &memo;
    c.id = id;
    unw_getcontext(&c.context);
    call_on(c.stack + sizeof(c.stack), compare, &c);
    c.busy.store(0, std::memory_order_release);
    checking = false;
    raw::call(SYS_rt_sigprocmask, 2, reinterpret_cast<long>(&before), 0, sizeof(before));
}

}  // namespace lastref
