// Modules in a table of our own, for C libraries without _dl_find_object.
//
// The table is rebuilt from the loader's list (_r_debug.r_map) after each dlclose, and when a pc is
// in no known module although the list has grown: that is seen from its last entry alone, so a
// JIT's code costs no walk of the list. The list is read without the loader's lock. glibc links an
// entry when its object is mapped whole, and unlinks it before it is unmapped; but an entry may be
// freed while we read (libc unloads its own modules, for iconv and NSS, through no dlclose that we
// see), so all of it is copied by the kernel, which refuses where there is nothing.
//
// There are two tables in turn. A reader looks whether another was published meanwhile, and then
// looks again. Writers hold a lock that a forked child finds free; a table half made by a thread
// that is not there is not the published one.
//
// Once a seccomp filter may forbid copying, the table only loses modules: dlclose asks the loader
// which of them are still there, under the lock that it has just held itself.
//
// Not found: modules in namespaces of their own (dlmopen), and what is loaded after such a filter
// came about.
#include "module_lookup.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <atomic>

#include "libc_functions.h"
#include "module_table.h"
#include "raw_syscall.h"
#include "segment_span.h"
#include "session.h"

namespace lastref {
namespace {

struct Entry {
    Module module;
    uint64_t mark;  // from the unwind table's header: differs for another module at the same place
};

struct Table {
    static constexpr uint32_t kMost = 2048;
    uint32_t count;
    const link_map *last, *before_last;  // of the loader's list when the table was made
    Entry entries[kMost];                // by address
};

Table tables[2];
std::atomic<uint32_t> published;  // tables[published % 2]; 0: none yet

uint64_t mark_of(const void* eh_frame_header) {
    uint64_t mark = 0;  // where .eh_frame is, and how many entries it has
    if (eh_frame_header) {
        copy_memory(static_cast<const uint8_t*>(eh_frame_header) + 4, &mark, sizeof(mark));
    }
    return mark;
}

// From the program headers at `headers`.
bool describe(uintptr_t headers, unsigned count, const link_map* map, uintptr_t bias,
              Module& module) {
    module = {0, 0, nullptr, map};
    SegmentSpan span;
    for (unsigned i = 0; i < count; i++) {
        ElfW(Phdr) header;
        if (!copy_memory(reinterpret_cast<void*>(headers + i * sizeof(header)), &header,
                         sizeof(header))) {
            return false;
        }
        span.add(header, bias);
        if (header.p_type == PT_GNU_EH_FRAME) {
            module.eh_frame_header = reinterpret_cast<const void*>(bias + header.p_vaddr);
        }
    }
    module.begin = span.begin;
    module.end = span.end;
    return module.begin < module.end;
}

bool describe(const link_map* map, const link_map& copied, bool is_program, Module& module) {
    if (is_program) {
        return describe(getauxval(AT_PHDR), static_cast<unsigned>(getauxval(AT_PHNUM)), map,
                        copied.l_addr, module);
    }
    ElfW(Ehdr) elf;
    if (copied.l_addr == 0 ||
        !copy_memory(reinterpret_cast<const void*>(copied.l_addr), &elf, sizeof(elf)) ||
        memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 || elf.e_phentsize != sizeof(ElfW(Phdr))) {
        return false;
    }
    return describe(copied.l_addr + elf.e_phoff, elf.e_phnum, map, copied.l_addr, module);
}

void insert(Table& table, const Entry& entry) {
    uint32_t at = table.count++;
    for (; at != 0 && table.entries[at - 1].module.begin > entry.module.begin; at--) {
        table.entries[at] = table.entries[at - 1];
    }
    table.entries[at] = entry;
}

// Calls use(map, module) for each entry of the loader's list, with a null module for one that has
// no code, until that returns false. False where the list changed under the walk or could not be
// read.
template <typename Use>
bool walk_list(Use use) {
    const link_map* map = _r_debug.r_map;
    if (!map) return false;
    for (uint32_t seen = 0; map && seen < Table::kMost; seen++) {
        link_map copied;
        if (!copy_memory(map, &copied, sizeof(copied))) return false;
        Module module;
        if (!use(map, describe(map, copied, seen == 0, module) ? &module : nullptr)) break;
        map = copied.l_next;
    }
    return true;
}

// False: the old table stays.
bool fill(Table& table) {
    table.count = 0;
    table.last = table.before_last = nullptr;
    return walk_list([&table](const link_map* map, const Module* module) {
        if (module) insert(table, {*module, mark_of(module->eh_frame_header)});
        table.before_last = table.last;
        table.last = map;
        return true;
    });
}

// Without a table: where none can be trusted, or others are made faster than this thread looks.
bool find_in_list(uintptr_t pc, Module& found) {
    bool is_there = false;
    walk_list([&](const link_map*, const Module* module) {
        is_there = module && pc - module->begin < module->end - module->begin;
        if (is_there) found = *module;
        return !is_there;
    });
    return is_there;
}

// The list's end is where it was.
bool is_current(const Table& table) {
    link_map last, before_last;
    return copy_memory(table.last, &last, sizeof(last)) && last.l_next == nullptr &&
           (!table.before_last ||
            (copy_memory(table.before_last, &before_last, sizeof(before_last)) &&
             before_last.l_next == table.last));
}

// A table of the list as it is now. False: none could be made.
bool make_table(uint32_t number) {
    if (!fill(tables[(number + 1) % 2])) return false;
    published.store(number + 1, std::memory_order_release);
    return true;
}

// Whether there is a newer table than number `seen` now.
bool have_newer_table(uint32_t seen) {
    if (!may_call_kernel()) return false;
    SlowLockHolder lock(process.session->module_lock, true);
    if (!lock.owned()) return false;
    const uint32_t number = published.load(std::memory_order_acquire);
    return number != seen || make_table(number);
}

// As of the table published when it returns.
bool look_up(uintptr_t pc, Entry& found, uint32_t& number) {
    for (;;) {
        number = published.load(std::memory_order_acquire);
        const Table& table = tables[number % 2];
        uint32_t low = 0, high = number != 0 ? table.count : 0;
        if (high > Table::kMost) high = 0;
        while (low < high) {
            const uint32_t middle = low + (high - low) / 2;
            if (table.entries[middle].module.begin <= pc)
                low = middle + 1;
            else
                high = middle;
        }
        if (low != 0) found = table.entries[low - 1];
        std::atomic_thread_fence(std::memory_order_acquire);
        if (published.load(std::memory_order_relaxed) != number) continue;
        return low != 0 && pc < found.module.end;
    }
}

struct Remaining {
    const Table& from;
    Table& to;
};

// For dl_iterate_phdr().
int keep_module(dl_phdr_info* info, size_t, void* data) {
    const Remaining& remaining = *static_cast<Remaining*>(data);
    uintptr_t header = 0;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_GNU_EH_FRAME) {
            header = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        }
    }
    for (uint32_t i = 0; header != 0 && i < remaining.from.count; i++) {
        const Entry& entry = remaining.from.entries[i];
        if (reinterpret_cast<uintptr_t>(entry.module.eh_frame_header) == header &&
            memcmp(reinterpret_cast<const void*>(header + 4), &entry.mark, sizeof(entry.mark)) ==
                0) {
            insert(remaining.to, entry);
        }
    }
    return 0;
}

// The table less what has gone. The loader is asked from inside its own iteration, so that its lock
// is held, which keeps modules where they are, and taken before ours: constructors that call
// dlclose hold it already.
void drop_gone_modules() {
    const auto under_loaders_lock = [](dl_phdr_info*, size_t, void*) {
        SlowLockHolder lock(process.session->module_lock, false);
        if (!lock.owned()) return 1;
        const uint32_t number = published.load(std::memory_order_acquire);
        Table& next = tables[(number + 1) % 2];
        next.count = 0;
        next.last = next.before_last = nullptr;
        Remaining remaining = {tables[number % 2], next};
        libc.dl_iterate_phdr(keep_module, &remaining);
        published.store(number + 1, std::memory_order_release);
        return 1;  // no need to be called again
    };
    libc.dl_iterate_phdr(under_loaders_lock, nullptr);
}

}  // namespace

bool find_module(uintptr_t pc, Module& found) {
    // The table may hold what is gone, and another like it may lie there already.
    if (modules_closing() && may_call_kernel()) return find_in_list(pc, found);
    Entry entry;
    // A table that another thread made meanwhile may be older than what is looked for.
    for (int tries = 0; tries < 3; tries++) {
        uint32_t number;
        const bool is_there = look_up(pc, entry, number);
        found = entry.module;
        if (!may_call_kernel()) return is_there;
        // Gone, and maybe another there, where libc itself unloads or a dlclose is under way.
        if (is_there && mark_of(entry.module.eh_frame_header) == entry.mark) return true;
        if (!is_there && number != 0 && is_current(tables[number % 2])) return false;
        if (!have_newer_table(number)) break;
    }
    return find_in_list(pc, found);
}

void renew_modules() {
    if (!may_call_kernel()) return drop_gone_modules();
    SlowLockHolder lock(process.session->module_lock, true);
    // Also where another thread has just made one: that may be older than the dlclose.
    if (lock.owned()) make_table(published.load(std::memory_order_acquire));
}

}  // namespace lastref
