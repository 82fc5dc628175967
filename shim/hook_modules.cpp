#include "hook_modules.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>

#include "error_text.h"
#include "hook_debug_file.h"
#include "hook_events.h"
#include "hook_notes.h"
#include "hook_pass.h"
#include "mapped_file.h"
#include "module_lookup.h"
#include "raw_syscall.h"
#include "session.h"
#include "slow_lock.h"
#include "text.h"

namespace lastref::hooks {

namespace {

constexpr unsigned kModules = 4096;
constexpr unsigned kTried = 4096;

// A module with rules.
struct Module {
    const link_map* map;
    uintptr_t bias, low, high;
    bool listed;
};

SlowLock lock;
Module* modules;  // kModules
unsigned module_count;
// Function pointers that were looked at, each mixed with its rule; 0: free.
std::atomic<uintptr_t> tried[kTried];

// Symbols that were stripped into `file`.
void find_stripped_symbols(ElfImage& elf, const char* path, MappedFile& file) {
    char place[kMostDebugPath];
    for (unsigned i = 0; i < kDebugFilePlaces && !elf.has_symbol_table(); i++) {
        Text text(place, sizeof(place));
        if (!debug_file_path(elf, path, i, text)) continue;
        file.map(place);
        ElfImage symbols;
        if (file.open(symbols)) elf.take_symbols(symbols);
    }
}

bool is_main(const link_map& map) {
    return map.l_prev == nullptr && (!map.l_name || map.l_name[0] == 0);
}

const char* soname_of(const link_map& map) {
    if (is_main(map)) return "<exe>";
    const char* strings = nullptr;
    uint64_t name = 0;
    for (const ElfW(Dyn)* entry = map.l_ld; entry && entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_SONAME) name = entry->d_un.d_val;
        if (entry->d_tag == DT_STRTAB) {
            // The loader has relocated it, but where the section is read-only.
            const uintptr_t at = entry->d_un.d_ptr;
            strings = reinterpret_cast<const char*>(at < map.l_addr ? at + map.l_addr : at);
        }
    }
    if (name != 0 && strings) return strings + name;
    const char* slash = map.l_name ? strrchr(map.l_name, '/') : nullptr;
    return slash ? slash + 1 : map.l_name ? map.l_name : "";
}

bool has_rules(const char* soname) {
    for (uint32_t i = 0; i < table.rules->library_count; i++) {
        if (matches_any(table.rules->libraries[i].patterns, soname)) return true;
    }
    return false;
}

void writing_failed(const CodeWriter& writer) {
    if (!table.active.load()) return;
    char reason[80];
    Text text(reason, sizeof(reason));
    text.add(writer.refused()).add(" (").add(error_text(writer.error())).add(')');
    note_off(reason);
}

void hook_module(Module& module, const char* soname) {
    const char* const path = file_of(*module.map);
    MappedFile file(path), symbols;
    ElfImage elf;
    if (!file.open(elf)) {
        for (uint32_t i = 0; i < table.rules->rule_count; i++) {
            const Rule& rule = table.rules->rules[i];
            if (!matches_any(table.rules->libraries[rule.library].patterns, soname)) continue;
            note_type(table.types[rule.type]);
            note_refused(table.types[rule.type], soname, "its file can't be read");
        }
        return;
    }
    find_stripped_symbols(elf, path, symbols);
    elf.loaded_range(module.low, module.high);
    module.low += module.bias;
    module.high += module.bias;
    CodeWriter writer;
    const LoadedImage image = {elf, module.bias, module.low, module.high};
    HookPass pass(image, soname);
    const uint32_t hooked = pass.run(writer);
    if (writer.error() != 0) writing_failed(writer);
    note_library(soname, hooked);
}

void forget(Module& module) {
    for (uint32_t i = 0; i < table.patch_count; i++) {
        Patch& patch = table.patches[i];
        if (patch.entry - module.low < module.high - module.low) uninstall(patch);
    }
    // Function pointers into it would be other functions' now.
    for (auto& one : tried) one.store(0, std::memory_order_relaxed);
    module = modules[--module_count];
}

uintptr_t tried_key(uintptr_t function, const Binding& rule) {
    return (function ^ reinterpret_cast<uintptr_t>(rule.rule) * 0x9e3779b97f4a7c15ull) | 1;
}

// True where it was there before.
bool try_once(uintptr_t key) {
    for (unsigned i = 0; i < 64; i++) {
        std::atomic<uintptr_t>& slot = tried[(key / 16 + i) % kTried];
        if (slot.load(std::memory_order_relaxed) == key) return true;
        if (slot.load(std::memory_order_relaxed) == 0) {
            slot.store(key, std::memory_order_relaxed);
            return false;
        }
    }
    return true;
}

const link_map* module_of(uintptr_t address) {
    lastref::Module found;
    return find_module(address, found) ? found.map : nullptr;
}

}  // namespace

bool knows_function(uintptr_t function, const Binding& rule) {
    const uintptr_t key = tried_key(function, rule);
    for (unsigned i = 0; i < 64; i++) {
        const uintptr_t held = tried[(key / 16 + i) % kTried].load(std::memory_order_relaxed);
        if (held == key) return true;
        if (held == 0) return false;
    }
    return true;  // too many: the rest stays as it is
}

void scan_modules() {
    SlowLockHolder holder(lock, may_call_kernel());
    if (!holder.owned()) return;
    if (!modules) modules = static_cast<Module*>(take_memory(kModules * sizeof(Module)));
    if (!modules) return;
    for (unsigned i = 0; i < module_count; i++) modules[i].listed = false;
    for (const link_map* map = _r_debug.r_map; map; map = map->l_next) {
        bool known = false;
        for (unsigned i = 0; i < module_count; i++) {
            if (modules[i].map == map && modules[i].bias == map->l_addr)
                known = modules[i].listed = true;
        }
        if (known) continue;
        const char* soname = soname_of(*map);
        if (!has_rules(soname) || module_count == kModules) continue;
        Module& module = modules[module_count++];
        module = {map, map->l_addr, 0, 0, true};
        hook_module(module, soname);
    }
    for (unsigned i = module_count; i-- != 0;) {
        if (!modules[i].listed) forget(modules[i]);
    }
}

void replace_slots() {
    SlowLockHolder holder(lock, may_call_kernel());
    if (!holder.owned() || !table.slots_pending.exchange(false)) return;
    CodeWriter writer;
    bool left = false;
    for (uint32_t i = 0; i < table.patch_count; i++) {
        Patch& patch = table.patches[i];
        if (!patch.is_slot || patch.installed.load() || !patch.at_entry) continue;
        for (unsigned m = 0; m < module_count; m++) {
            const Module& module = modules[m];
            if (patch.entry - module.low >= module.high - module.low) continue;
            if (!module_of(*reinterpret_cast<const uintptr_t*>(patch.entry))) {
                left = true;
                continue;
            }
            const char* reason =
                install(patch, {ElfImage(), module.bias, module.low, module.high}, writer, false);
            for (const Binding* list = patch.at_entry; reason && list; list = list->next) {
                note_refused(*list->type, list->function, reason);
            }
        }
    }
    if (left) table.slots_pending.store(true);
}

void replace_pending_slots(void*) {
    replace_slots();
}

const char* hook_loader() {
    const uintptr_t entry = _r_debug.r_brk;
    const link_map* map = entry != 0 ? module_of(entry) : nullptr;
    if (!map) return "the loader has no place that tells of it";
    MappedFile file(map->l_name);
    ElfImage elf;
    if (!file.open(elf)) return "the loader's file can't be read";
    uintptr_t low = 0, high = 0;
    elf.loaded_range(low, high);
    Patch* patch = patch_at(entry);
    if (!patch) return "no memory";
    patch->is_loader = true;
    CodeWriter writer;
    const char* reason =
        install(*patch, {elf, map->l_addr, map->l_addr + low, map->l_addr + high}, writer, false);
    if (writer.error() != 0) writing_failed(writer);
    return reason;
}

void hook_function_at(uintptr_t function, const Binding& rule) {
    SlowLockHolder holder(lock, may_call_kernel());
    if (!holder.owned() || try_once(tried_key(function, rule))) return;
    const link_map* map = module_of(function);
    if (!map) return note_refused(*rule.type, "a function pointer", "it points to no module");
    MappedFile file(file_of(*map));
    ElfImage elf;
    if (!file.open(elf)) {
        return note_refused(*rule.type, "a function pointer", "its module's file can't be read");
    }
    Symbol function_symbol = {"a function pointer", function - map->l_addr, 0, STT_FUNC, 0};
    elf.for_each_symbol([&](const Symbol& symbol) {
        if (symbol.address != function_symbol.address) return true;
        function_symbol.name = symbol.name;
        function_symbol.size = symbol.size;
        return false;
    });
    const char* name = copy_text(function_symbol.name, strlen(function_symbol.name));
    uintptr_t low = 0, high = 0;
    elf.loaded_range(low, high);
    Patch* patch = patch_at(function);
    if (!patch || !bind(*patch, *rule.rule, *rule.type, name)) {
        return note_refused(*rule.type, name, "too many functions are hooked");
    }
    if (patch->installed.load()) return;
    patch->symbol_size = function_symbol.size;
    CodeWriter writer;
    const char* reason =
        install(*patch, {elf, map->l_addr, map->l_addr + low, map->l_addr + high}, writer, true);
    if (reason) note_refused(*rule.type, name, reason);
}

void unlock_in_child() {
    lock.held.store(0);
}

void loader_changed(void*) {
    if (_r_debug.r_state == r_debug::RT_CONSISTENT && recording && table.active.load() &&
        may_call_kernel()) {
        scan_modules();
    }
}

}  // namespace lastref::hooks
