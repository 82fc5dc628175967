#include "hook_install.h"

#include <string.h>
#include <sys/mman.h>

#include "hook_modules.h"
#include "hook_relocate.h"
#include "live_code.h"
#include "raw_syscall.h"

namespace lastref::hooks {
namespace {

constexpr uint64_t kArena = 64u << 20;  // address space; pages are taken as needed
constexpr uint32_t kSlots = HookTable::kPatches * 2;

uint8_t* arena;
uint64_t arena_left;
uint32_t* by_entry;  // patch index plus one, hashed by entry

uint32_t* slot_of(uintptr_t entry) {
    if (!by_entry) {
        by_entry = static_cast<uint32_t*>(take_memory(kSlots * sizeof(uint32_t)));
        if (!by_entry) return nullptr;
    }
    for (uint64_t i = entry * 0x9e3779b97f4a7c15ull >> 40;; i++) {
        uint32_t& slot = by_entry[i % kSlots];
        if (slot == 0 || table.patches[slot - 1].entry == entry) return &slot;
    }
}

// In the memory's place where a debugger's breakpoint stands.
bool same_code(const uint8_t* memory, const uint8_t* file, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (memory[i] != file[i] && memory[i] != 0xcc) return false;
    }
    return true;
}

const char* write_failed(const CodeWriter& writer) {
    return writer.error() != 0 ? "its memory can't be written" : "no free memory near it";
}

const char* replace_slot(Patch& patch, const LoadedImage& image, CodeWriter& writer) {
    const uintptr_t function = *reinterpret_cast<const uintptr_t*>(patch.entry);
    if (function == 0) return "the slot is empty";
    NearBlock* block = near_block(image.low, image.high, kEntrySize, writer);
    if (!block) return write_failed(writer);
    const uintptr_t at = block->begin + block->used;
    uint8_t entry[kEntrySize];
    make_entry(entry, static_cast<uint32_t>(&patch - table.patches), at, *block);
    if (!writer.write(at, entry, sizeof(entry))) return write_failed(writer);
    block->used += 16;
    block->users++;
    patch.code = at;
    patch.go_on = function;
    if (!writer.write(patch.entry, &at, sizeof(at))) return write_failed(writer);
    patch.installed.store(true, std::memory_order_release);
    return nullptr;
}

}  // namespace

void* take_memory(size_t size) {
    size = (size + 15) & ~size_t{15};
    if (!arena) {
        arena = static_cast<uint8_t*>(raw::map(kArena, PROT_READ | PROT_WRITE,
                                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
        if (!arena) return nullptr;
        arena_left = kArena;
    }
    if (size > arena_left) return nullptr;
    arena += size;
    arena_left -= size;
    return arena - size;
}

const char* copy_text(const char* text, size_t size) {
    auto* copy = static_cast<char*>(take_memory(size + 1));
    if (!copy) return "";
    memcpy(copy, text, size);
    return copy;
}

Patch* find_patch(uintptr_t entry) {
    const uint32_t* slot = slot_of(entry);
    return slot && *slot != 0 ? &table.patches[*slot - 1] : nullptr;
}

Patch* patch_at(uintptr_t entry) {
    uint32_t* slot = slot_of(entry);
    if (!slot) return nullptr;
    if (*slot == 0) {
        if (table.patch_count == HookTable::kPatches) return nullptr;
        table.patches[table.patch_count].entry = entry;
        *slot = ++table.patch_count;
    }
    return &table.patches[*slot - 1];
}

bool bind(Patch& patch, const Rule& rule, HookedType& type, const char* function) {
    const Binding** end = rule.when == When::kIn ? &patch.at_entry : &patch.at_return;
    for (; *end; end = const_cast<const Binding**>(&(*end)->next)) {
        if ((*end)->rule == &rule) return true;
    }
    auto* binding = static_cast<Binding*>(take_memory(sizeof(Binding)));
    if (!binding) return false;
    binding->set(rule, type);
    binding->function = function;
    if (rule.when != When::kIn || rule.nest) {
        patch.calls = true;
        if (rule.stack_words > patch.stack_words) patch.stack_words = rule.stack_words;
    }
    *end = binding;
    table.binding_count++;
    return true;
}

const char* install(Patch& patch, const LoadedImage& image, CodeWriter& writer, bool live) {
    if (patch.is_slot) return replace_slot(patch, image, writer);
    const uint64_t address = patch.entry - image.bias;
    size_t available = 0;
    const uint8_t* code = image.file.at(address, available);
    if (!code || !image.file.is_code(address)) return "it is no code of its file";
    const auto* memory = reinterpret_cast<const uint8_t*>(patch.entry);
    // Jumps at neighbours' entries may have been written already: only what we replace must agree.
    const size_t size = image.file.function_size(address, patch.symbol_size);
    if (!same_code(memory, code, size < kJumpSize ? size : kJumpSize)) {
        return "its code is not what the file holds";
    }
    NearBlock* block = near_block(image.low, image.high, kEntrySize + kMostRelocated + 16, writer);
    if (!block) return write_failed(writer);
    const uintptr_t at = block->begin + block->used;
    Relocated moved;
    if (const char* reason = relocate_prologue(code, size, available, image.file.preceding(address),
                                               patch.entry, at + kEntrySize, moved)) {
        return reason;
    }
    uint8_t entry[kEntrySize];
    make_entry(entry, static_cast<uint32_t>(&patch - table.patches), at, *block);
    if (!writer.write(at, entry, sizeof(entry)) ||
        !writer.write(at + kEntrySize, moved.code, moved.size)) {
        return write_failed(writer);
    }
    block->used += (kEntrySize + moved.size + 15u) & ~15u;
    block->users++;
    patch.code = at;
    patch.go_on = at + kEntrySize;
    const JumpAt jump = {patch.entry, at};
    if (const char* reason = write_jumps(&jump, 1, live, writer)) return reason;
    patch.installed.store(true, std::memory_order_release);
    return nullptr;
}

void uninstall(Patch& patch) {
    if (patch.code != 0) leave_block(patch.code);
    patch.installed.store(false);
    patch.code = patch.go_on = 0;
    patch.at_entry = patch.at_return = nullptr;
    patch.calls = patch.is_slot = false;
    patch.stack_words = 0;
}

// setjmp would come back to a frame that is gone, vfork's child would overwrite it, and dlsym looks
// at who called it.
bool may_return_twice(const char* function) {
    static constexpr const char* kNames[] = {
        "setjmp", "_setjmp", "sigsetjmp", "__sigsetjmp", "vfork",          "getcontext",
        "clone",  "dlsym",   "dlvsym",    "dlopen",      "__tls_get_addr", "swapcontext"};
    for (const char* name : kNames) {
        if (strcmp(name, function) == 0) return true;
    }
    return false;
}

}  // namespace lastref::hooks
