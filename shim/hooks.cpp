#include "hooks.h"

#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hook_events.h"
#include "hook_install.h"
#include "hook_modules.h"
#include "hook_notes.h"
#include "hook_pass.h"
#include "libc_functions.h"
#include "raw_syscall.h"
#include "session.h"
#include "symbol_lookup.h"
#include "text.h"

namespace lastref::hooks {

constinit HookTable table{};

namespace {

constexpr size_t kMostRules = 1u << 20;  // bytes of one rule file
constexpr unsigned kMostPath = 4096;

void say_error(void*, const RuleError& error) {
    say_rule_error(error);
}

// The folder of built-in packs lies beside the shim.
bool pack_path(const char* name, size_t size, Text& path) {
    const link_map* self = own_module();
    if (!self || !self->l_name) return false;
    const char* slash = strrchr(self->l_name, '/');
    if (slash) path.add(self->l_name, static_cast<size_t>(slash - self->l_name) + 1);
    path.add("lastref/hooks/").add(name, size).add(".rules");
    return !path.cut();
}

bool is_file_name(const char* name, size_t size) {
    return memchr(name, '/', size) || (size > 6 && memcmp(name + size - 6, ".rules", 6) == 0);
}

// The whole file, in memory that stays; nullptr where it can't be read.
const char* read_rules(const char* path, size_t& size) {
    const int fd = raw::open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return nullptr;
    const long end = raw::call(SYS_lseek, fd, 0, 2 /* SEEK_END */);
    char* text = nullptr;
    if (end >= 0 && static_cast<size_t>(end) <= kMostRules) {
        size = static_cast<size_t>(end);
        text = static_cast<char*>(take_memory(size + 1));
        raw::call(SYS_lseek, fd, 0, 0);
        size_t got = 0;
        while (text && got < size) {
            const long read = raw::read(fd, text + got, size - got);
            if (read <= 0) break;
            got += static_cast<size_t>(read);
        }
        size = got;
    }
    raw::close(fd);
    return text;
}

void add_rules(const char* name, size_t name_size) {
    auto* path_text = static_cast<char*>(take_memory(kMostPath));
    if (!path_text) return;
    Text path(path_text, kMostPath);
    if (is_file_name(name, name_size))
        path.add(name, name_size);
    else if (!pack_path(name, name_size, path))
        return;
    size_t size = 0;
    const char* text = read_rules(path_text, size);
    if (!text) {
        char line[1400];
        Text said(line, sizeof(line));
        said.add("hooks: can't read ").add(path_text);
        said.add(" (a pack's name, or a path that ends in .rules)");
        say_more(line);
        return;
    }
    parse_rules(*table.rules, path_text, text, size, say_error, nullptr);
}

bool make_tables() {
    const auto make = [](size_t size) {
        return raw::map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                        -1, 0);
    };
    table.rules = static_cast<RuleSet*>(make(sizeof(RuleSet)));
    table.types = static_cast<HookedType*>(make(RuleSet::kTypes * sizeof(HookedType)));
    table.patches = static_cast<Patch*>(make(HookTable::kPatches * sizeof(Patch)));
    return table.rules && table.types && table.patches;
}

void read_all_rules() {
    const char* name = process.config.hooks;
    while (*name) {
        const size_t size = strcspn(name, ",");
        if (size != 0) add_rules(name, size);
        name += size + (name[size] == ',');
    }
    for (uint32_t i = 0; i < table.rules->type_count; i++) {
        const Type& from = table.rules->types[i];
        HookedType& type = table.types[i];
        type.name = {copy_text(from.name.text, from.name.size), from.name.size, i};
        if (from.revives) type.flags |= trace::kRevives;
        if (from.implicit) type.flags |= trace::kImplicit;
        type.rules = &from;
        type.counter = from.counter;
        type.counter_trusted.store(true);
    }
}

// Our constructor comes before libc's own. dlopen() would run that one now, as of a dependency,
// with the arguments and environment that libc itself knows: none yet, and the program would have
// none either. Run with the true ones first, it does no harm to be run again.
void initialise_libc(int count, char** arguments, char** environment) {
    if (environ) return;
    const link_map* module = libc_module();
    if (!module) return;
    using Initialise = void (*)(int, char**, char**);
    uintptr_t array = 0, size = 0;
    for (const ElfW(Dyn)* entry = module->l_ld; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_INIT_ARRAY) array = module->l_addr + entry->d_un.d_ptr;
        if (entry->d_tag == DT_INIT_ARRAYSZ) size = entry->d_un.d_val;
        if (entry->d_tag == DT_INIT) {
            reinterpret_cast<Initialise>(module->l_addr + entry->d_un.d_ptr)(count, arguments,
                                                                             environment);
        }
    }
    for (uintptr_t i = 0; i < size / sizeof(Initialise); i++) {
        reinterpret_cast<Initialise*>(array)[i](count, arguments, environment);
    }
}

bool has_demangled_names() {
    for (uint32_t i = 0; i < table.rules->rule_count; i++) {
        if (table.rules->rules[i].target == Target::kDemangled) return true;
    }
    return false;
}

}  // namespace

void start(int count, char** arguments, char** environment) {
    if (process.config.hooks[0] == 0 || !may_call_kernel()) return;
    if (!make_tables()) return note_off("no memory is left");
    read_all_rules();
    if (table.rules->rule_count == 0) return note_off("there are no rules to go by");
    if (has_demangled_names()) {
        initialise_libc(count, arguments, environment);
        recording = false;  // what the loader allocates for a library of ours is not the program's
        if (!load_demangler()) {
            say_more(
                "hooks: no C++ library demangles names: rules with patterns in quotes match "
                "nothing");
        }
        recording = true;
    }
    table.active.store(true);
    scan_modules();
    replace_slots();
    if (!table.active.load()) return;
    if (const char* reason = hook_loader()) {
        note(trace::HookFact::kRefused, "_dl_debug_state", 0, reason);
    }
}

void program_confines_itself() {
    if (table.active.load()) note_off("the program confines itself with seccomp");
}

void session_restarted() {
    if (!table.rules) return;
    unlock_in_child();
    note_everything_again();
}

}  // namespace lastref::hooks
