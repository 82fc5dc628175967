#include "live_code.h"

#include <linux/membarrier.h>
#include <string.h>

#include "clock.h"
#include "raw_syscall.h"
#include "text.h"

namespace lastref::hooks {
namespace {

constexpr unsigned kMostAtOnce = 64;
constexpr uint64_t kPatience = 200'000'000;  // ns until a thread that does not run ends the attempt
// A thread that ran so long left the few instructions that are replaced.
constexpr uint64_t kLongEnough = 10'000;    // ns
constexpr uint8_t kWait[2] = {0xeb, 0xfe};  // jmp to itself

// The kernel's struct linux_dirent64.
struct Entry {
    uint64_t inode;
    int64_t next;
    uint16_t length;
    uint8_t type;
    char name[];
};

// Calls visit(thread id) for each other thread, until one returns false.
template <typename Visit>
bool for_each_other_thread(Visit visit) {
    const int folder = raw::open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (folder < 0) return false;
    const int own = raw::thread_id();
    alignas(8) char buffer[2048];
    bool all = true;
    for (;;) {
        const long got =
            raw::call(SYS_getdents64, folder, reinterpret_cast<long>(buffer), sizeof(buffer));
        if (got <= 0) {
            all = all && got == 0;
            break;
        }
        for (long at = 0; at < got;) {
            const auto* entry = reinterpret_cast<const Entry*>(buffer + at);
            at += entry->length;
            int id = 0;
            for (const char* c = entry->name; *c >= '0' && *c <= '9'; c++)
                id = id * 10 + (*c - '0');
            if (id != 0 && id != own) all = all && visit(id);
        }
    }
    raw::close(folder);
    return all;
}

// The beginning of /proc/self/task/ID/NAME; false where there is no such thread any more.
bool read_of_thread(int id, const char* name, char* text, size_t size) {
    char path[64];
    Text(path, sizeof(path))
        .add("/proc/self/task/")
        .add_number(static_cast<uint64_t>(id))
        .add('/')
        .add(name);
    const int fd = raw::open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return false;
    const long got = raw::read(fd, text, size - 1);
    raw::close(fd);
    if (got <= 0) return false;
    text[got] = 0;
    return true;
}

// Nanoseconds that the thread has run: the first number of its schedstat (Linux 2.6.9; exact at
// each switch, behind by a tick while it runs). False where it is gone.
bool run_time(int id, uint64_t& time) {
    char text[64];
    if (!read_of_thread(id, "schedstat", text, sizeof(text))) return false;
    time = 0;
    for (const char* c = text; *c >= '0' && *c <= '9'; c++) {
        time = time * 10 + static_cast<uint64_t>(*c - '0');
    }
    return true;
}

// Stopped in the kernel by its own call: not preempted between two instructions. A signal handler
// that waits there, on top of code that was interrupted inside the bytes, is not recognised.
bool is_in_system_call(int id) {
    char text[32];
    // 'running', or the number of the call; -1 is no call (a fault).
    return read_of_thread(id, "syscall", text, sizeof(text)) && text[0] >= '0' && text[0] <= '9';
}

// Waits until no thread can stand inside bytes that were replaced before. False: one might.
bool all_have_moved_on() {
    const uint64_t end = clock_ns(CLOCK_MONOTONIC) + kPatience;
    return for_each_other_thread([end](int id) {
        uint64_t before = 0, now = 0;
        if (!run_time(id, before)) return true;
        for (;;) {
            if (is_in_system_call(id) || !run_time(id, now) || now - before >= kLongEnough) {
                return true;
            }
            if (clock_ns(CLOCK_MONOTONIC) > end) return false;
            raw::call(SYS_sched_yield);
        }
    });
}

void serialise_all_processors() {
    // Linux 4.16. Before it the kernel's interrupts that other threads got since do the same.
    raw::call(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
    raw::call(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
}

bool is_alone() {
    return for_each_other_thread([](int) { return false; });
}

}  // namespace

const char* write_jumps(const JumpAt* jumps, unsigned count, bool live, CodeWriter& writer) {
    constexpr const char* kNotWritten = "its memory can't be written";
    uint8_t old[kMostAtOnce][kJumpSize], code[kMostAtOnce][kJumpSize];
    if (count > kMostAtOnce) return "too many functions at once";
    for (unsigned i = 0; i < count; i++) {
        memcpy(old[i], reinterpret_cast<const void*>(jumps[i].from), kJumpSize);
        code[i][0] = 0xe9;
        const auto distance = static_cast<int32_t>(jumps[i].to - (jumps[i].from + kJumpSize));
        memcpy(code[i] + 1, &distance, sizeof(distance));
    }
    // Bytes [begin, end) of each function.
    const auto write = [&](const uint8_t(*bytes)[kJumpSize], unsigned begin, unsigned end) {
        bool done = true;
        for (unsigned i = 0; i < count; i++) {
            done &= writer.write(jumps[i].from + begin, bytes[i] + begin, end - begin);
        }
        return done;
    };
    if (!live || is_alone()) {
        if (write(code, 0, kJumpSize)) return nullptr;
        write(old, 0, kJumpSize);
        return kNotWritten;
    }
    bool waiting = true;
    for (unsigned i = 0; i < count; i++) waiting &= writer.write(jumps[i].from, kWait, 2);
    serialise_all_processors();
    if (!waiting || !all_have_moved_on() || !write(code, 2, kJumpSize)) {
        write(old, 2, kJumpSize);
        serialise_all_processors();
        write(old, 0, 2);
        serialise_all_processors();
        return waiting ? "other threads may be running it" : kNotWritten;
    }
    serialise_all_processors();
    write(code, 0, 2);
    serialise_all_processors();
    return nullptr;
}

}  // namespace lastref::hooks
