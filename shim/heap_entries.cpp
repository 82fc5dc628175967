#include "heap_entries.h"

#include <string.h>

#include "allocator_guard.h"
#include "heap_calls.h"
#include "hook_code.h"
#include "hook_install.h"
#include "hook_modules.h"
#include "hook_notes.h"
#include "hook_relocate.h"
#include "hooks.h"
#include "interpose_new.h"
#include "live_code.h"
#include "mapped_file.h"
#include "session.h"
#include "slow_lock.h"
#include "symbol_lookup.h"
#include "text.h"

// Where the shim begins, and where its code ends; the linker's.
extern "C" __attribute__((visibility("hidden"))) const char __ehdr_start[], etext[];

namespace lastref {

bool entries_hooked;
constinit thread_local uintptr_t t_allocator_sp;

namespace {

// The C library's own definitions, once their entries lead to us.
HeapFunctions hidden_heap;

SegmentSpan libc_code;

// Whether a call of an entry of the C library's is none of the program's: its own, of blocks that
// it made past its entries (a thread's cache), or the shim's, of a thread that was on its way to
// the real function, past the record, when the entry changed.
bool is_inner_call(const void* return_address) {
    const auto code = reinterpret_cast<uintptr_t>(return_address);
    const auto begin = reinterpret_cast<uintptr_t>(__ehdr_start);
    return libc_code.holds(code) || code - begin < static_cast<uintptr_t>(etext - __ehdr_start);
}

// Where the entries of an allocator lead.
template <HeapFunctions& heap>
struct Entrance {
    using Calls = HeapCalls<heap>;
#define LASTREF_ENTRANCE(RESULT, NAME, PARAMETERS, ARGUMENTS)                      \
    static RESULT NAME PARAMETERS {                                                \
        if (&heap == &hidden_heap && is_inner_call(__builtin_return_address(0))) { \
            return heap.NAME ARGUMENTS;                                            \
        }                                                                          \
        return Calls::NAME ARGUMENTS;                                              \
    }
    LASTREF_ENTRANCE(void*, malloc, (size_t size), (size))
    LASTREF_ENTRANCE(void*, calloc, (size_t count, size_t size), (count, size))
    LASTREF_ENTRANCE(void*, realloc, (void* block, size_t size), (block, size))
    LASTREF_ENTRANCE(void, free, (void* block), (block))
    LASTREF_ENTRANCE(void*, reallocarray, (void* block, size_t count, size_t size),
                     (block, count, size))
    LASTREF_ENTRANCE(int, posix_memalign, (void** result, size_t alignment, size_t size),
                     (result, alignment, size))
    LASTREF_ENTRANCE(void*, aligned_alloc, (size_t alignment, size_t size), (alignment, size))
    LASTREF_ENTRANCE(void*, memalign, (size_t alignment, size_t size), (alignment, size))
    LASTREF_ENTRANCE(void*, valloc, (size_t size), (size))
    LASTREF_ENTRANCE(void*, pvalloc, (size_t size), (size))
    LASTREF_ENTRANCE(void, cfree, (void* block), (block))
    LASTREF_ENTRANCE(void, free_sized, (void* block, size_t size), (block, size))
    LASTREF_ENTRANCE(void, free_aligned_sized, (void* block, size_t alignment, size_t size),
                     (block, alignment, size))
#undef LASTREF_ENTRANCE
    static void* mallocx(size_t size, int flags) {
        return Calls::mallocx(size, flags);
    }
    static void* rallocx(void* block, size_t size, int flags) {
        return Calls::rallocx(block, size, flags);
    }
    static size_t xallocx(void* block, size_t size, size_t extra, int flags) {
        return Calls::xallocx(block, size, extra, flags);
    }
    static void dallocx(void* block, int flags) {
        Calls::dallocx(block, flags);
    }
    static void sdallocx(void* block, size_t size, int flags) {
        Calls::sdallocx(block, size, flags);
    }
};

// One function of an allocator.
struct Entry {
    const char* name;
    void* entrance;
    void** go_on;  // what the entrance calls
    uintptr_t at;
    const link_map* module;
    uintptr_t trampoline;  // goes on with the function
    uintptr_t lead;        // jumps to the entrance, from near enough
};

class Takeover {
public:
    template <typename Function>
    void add(const char* name, void* entrance, Function& go_on, const Definition& found) {
        if (found.address == 0) return;
        go_on = reinterpret_cast<Function>(found.address);
        if (count_ == kMost) return;
        entries_[count_++] = {
            name, entrance, reinterpret_cast<void**>(&go_on), found.address, found.module, 0, 0};
    }

    // All C functions of `heap`; find(name) is where each lies.
    template <HeapFunctions& heap, typename Find>
    void add_functions(Find find) {
#define LASTREF_ENTRY(NAME) \
    add(#NAME, reinterpret_cast<void*>(Entrance<heap>::NAME), heap.NAME, find(#NAME))
        LASTREF_ENTRY(malloc);
        LASTREF_ENTRY(calloc);
        LASTREF_ENTRY(realloc);
        LASTREF_ENTRY(free);
        LASTREF_ENTRY(posix_memalign);
        LASTREF_ENTRY(aligned_alloc);
        LASTREF_ENTRY(memalign);
        LASTREF_ENTRY(valloc);
        LASTREF_ENTRY(pvalloc);
        LASTREF_ENTRY(cfree);
        LASTREF_ENTRY(free_sized);
        LASTREF_ENTRY(free_aligned_sized);
        add_extra_functions<heap>(find);
        // The C library's calls realloc by name.
        const Definition array = find("reallocarray");
        if (array.module != libc_module()) LASTREF_ENTRY(reallocarray);
        heap.own_reallocarray = true;
    }

    template <HeapFunctions& heap, typename Find>
    void add_extra_functions(Find find) {
        LASTREF_ENTRY(mallocx);
        LASTREF_ENTRY(rallocx);
        LASTREF_ENTRY(xallocx);
        LASTREF_ENTRY(dallocx);
        LASTREF_ENTRY(sdallocx);
#undef LASTREF_ENTRY
    }

    // Hooks them all; else says why not, and no entry has changed. `live`: other threads may run
    // them.
    const char* install(bool live);

    // The code that continues the function at that entry; nullptr: it is none of these.
    void* trampoline_of(const void* entry) const {
        for (unsigned i = 0; i < count_; i++) {
            if (reinterpret_cast<const void*>(entries_[i].at) == entry) {
                return reinterpret_cast<void*>(entries_[i].trampoline);
            }
        }
        return nullptr;
    }
    unsigned functions() const {
        return count_;
    }

private:
    static constexpr unsigned kMost = 64;
    static constexpr unsigned kLeadSize = 16;

    const char* prepare(Entry& entry, hooks::CodeWriter& writer);
    // The first entry at the same address: some functions are others' names.
    Entry& first_at(uintptr_t at) {
        unsigned i = 0;
        while (entries_[i].at != at) i++;
        return entries_[i];
    }

    Entry entries_[kMost];
    unsigned count_ = 0;
};

const char* Takeover::prepare(Entry& entry, hooks::CodeWriter& writer) {
    const link_map& map = *entry.module;
    hooks::MappedFile file(hooks::file_of(map));
    hooks::ElfImage image;
    if (!file.open(image)) return "its file can't be read";
    const uint64_t address = entry.at - map.l_addr;
    size_t available = 0;
    const uint8_t* code = image.at(address, available);
    if (!code || !image.is_code(address)) return "it is no code of its file";
    uint64_t low = 0, high = 0, symbol_size = 0;
    image.loaded_range(low, high);
    image.for_each_symbol([&](const hooks::Symbol& symbol) {
        if (symbol.address == address && symbol.size > symbol_size) symbol_size = symbol.size;
        return true;
    });
    const size_t size = image.function_size(address, symbol_size);
    const size_t compared = size < hooks::kJumpSize ? size : hooks::kJumpSize;
    if (memcmp(reinterpret_cast<const void*>(entry.at), code, compared) != 0) {
        return "its code is not what the file holds";
    }
    hooks::NearBlock* block = hooks::near_block(map.l_addr + low, map.l_addr + high,
                                                kLeadSize + hooks::kMostRelocated, writer);
    if (!block) return "there is no executable memory near it";
    const uintptr_t at = block->begin + block->used;
    hooks::Relocated moved;
    if (const char* reason = hooks::relocate_prologue(
            code, size, available, image.preceding(address), entry.at, at + kLeadSize, moved)) {
        return reason;
    }
    // jmp *0(%rip), and the address.
    uint8_t lead[kLeadSize] = {0xff, 0x25};
    memcpy(lead + 6, &entry.entrance, sizeof(entry.entrance));
    if (!writer.write(at, lead, sizeof(lead)) ||
        !writer.write(at + kLeadSize, moved.code, moved.size)) {
        return "its code can't be written";
    }
    block->used += (kLeadSize + moved.size + 15u) & ~15u;
    block->users++;
    entry.lead = at;
    entry.trampoline = at + kLeadSize;
    return nullptr;
}

const char* Takeover::install(bool live) {
    hooks::CodeWriter writer;
    for (unsigned i = 0; i < count_; i++) {
        Entry& entry = entries_[i];
        Entry& first = first_at(entry.at);
        const char* reason = &first == &entry ? prepare(entry, writer) : nullptr;
        if (reason) return reason;
        entry.trampoline = first.trampoline;
    }
    // From here on the real functions are called past their entries, and calls that the allocator
    // makes to itself are recognised; only then do the entries change.
    entries_hooked = true;
    for (unsigned i = 0; i < count_; i++) {
        __atomic_store_n(entries_[i].go_on, reinterpret_cast<void*>(entries_[i].trampoline),
                         __ATOMIC_RELEASE);
    }
    hooks::JumpAt jumps[kMost];
    unsigned jump_count = 0;
    for (unsigned i = 0; i < count_; i++) {
        if (entries_[i].lead != 0) jumps[jump_count++] = {entries_[i].at, entries_[i].lead};
    }
    return hooks::write_jumps(jumps, jump_count, live, writer);
}

// The definition of a name in front of us.
Definition in_front(const char* name) {
    return find_definition(name, first_module(), own_module());
}

Definition behind_us(const char* name) {
    const link_map* own = own_module();
    return own ? find_definition(name, own->l_next) : Definition{};
}

Definition in_libc(const char* name) {
    return {libc_symbol(name), libc_module()};
}

// Valgrind redirects these functions by their addresses and does not see code that changes.
bool is_emulated(const char* path) {
    return strstr(path, "/vgpreload_") != nullptr;
}

const char* module_name(const link_map* module) {
    return module && module->l_name && module->l_name[0] ? module->l_name : "the program";
}

void note_heap(const link_map* module, unsigned functions, const char* reason) {
    if (reason && process.file.header) process.file.header->notes |= process.heap_notes;
    hooks::note(trace::HookFact::kHeap, module_name(module), reason ? 0 : functions,
                reason ? reason : "");
}

}  // namespace

void take_front_entries() {
    if (!front_entries.malloc) return;
    const Definition malloc = in_front("malloc");
    Takeover takeover;
    takeover.add_functions<front_heap>(in_front);
    for (unsigned i = 0; i < kOperatorForms; i++) {
        takeover.add(operator_names[i], front_forms[i], front_operators[i].function,
                     in_front(operator_names[i]));
        front_operators[i].by_allocator = true;
    }
    const char* reason = nullptr;
    if (is_emulated(module_name(malloc.module)))
        reason = "it is valgrind's";
    else
        reason = takeover.install(false);
    process.heap_notes |= reason ? trace::kNoteOwnMalloc : trace::kNoteHeapByEntries;
    process.file.header->notes |= process.heap_notes;
    note_heap(malloc.module, takeover.functions(), reason);
}

void take_extra_entries() {
    // Where nobody calls them, no call pays for distinguishing the allocator's own calls from the
    // program's.
    const Definition extra = behind_us("mallocx");
    if (extra.address == 0 || front_entries.malloc || !is_referred_to("mallocx")) return;
    Takeover takeover;
    takeover.add_extra_functions<next_heap>(behind_us);
    const char* reason = takeover.install(false);
    if (reason) process.heap_notes |= trace::kNoteHeapInPart;
    note_heap(extra.module, takeover.functions(), reason);
}

void take_libc_entries() {
    static SlowLock lock;
    static bool taken;
    if (!recording || !process.session || !may_call_kernel()) return;
    SlowLockHolder holder(lock, true);
    if (!holder.owned() || taken) return;
    taken = true;
    libc_code = span_of(libc_module());
    Takeover takeover;
    takeover.add_functions<hidden_heap>(in_libc);
    const char* reason = takeover.install(true);
    if (reason) {
        process.heap_notes |= trace::kNoteHeapInPart;
    } else {
        // Where our own names go on to the same functions, they pass the entries by, too.
        constexpr unsigned kSlots = offsetof(HeapFunctions, own_reallocarray) / sizeof(void*);
        for (HeapFunctions* heap : {&next_heap, &libc_heap}) {
            auto** slots = reinterpret_cast<void**>(heap);
            for (unsigned i = 0; i < kSlots; i++) {
                if (void* trampoline = takeover.trampoline_of(slots[i])) {
                    __atomic_store_n(&slots[i], trampoline, __ATOMIC_RELEASE);
                }
            }
        }
    }
    note_heap(libc_module(), takeover.functions(), reason);
}

}  // namespace lastref
