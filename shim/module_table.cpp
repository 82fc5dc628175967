#include "module_table.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include "clock.h"
#include "frame_rules.h"
#include "raw_syscall.h"
#include "record_writer.h"
#include "session.h"
#include "symbol_lookup.h"
#include "text.h"

namespace lastref {
namespace {

struct BuildId {
    const void* bytes = nullptr;
    uint32_t size = 0;
};

// The GNU build-id note, read from the mapped program headers.
BuildId find_build_id(uintptr_t begin, uintptr_t end, uintptr_t bias) {
    const auto* elf = reinterpret_cast<const ElfW(Ehdr)*>(begin);
    if (end - begin < sizeof(*elf) || memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 ||
        elf->e_phoff > end - begin ||
        elf->e_phnum * sizeof(ElfW(Phdr)) > end - begin - elf->e_phoff) {
        return {};
    }
    const auto* headers = reinterpret_cast<const ElfW(Phdr)*>(begin + elf->e_phoff);
    for (unsigned i = 0; i < elf->e_phnum; i++) {
        if (headers[i].p_type != PT_NOTE) continue;
        uintptr_t at = bias + headers[i].p_vaddr;
        const uintptr_t note_end = at + headers[i].p_memsz;
        if (at < begin || note_end > end) continue;
        while (at + sizeof(ElfW(Nhdr)) <= note_end) {
            const auto* note = reinterpret_cast<const ElfW(Nhdr)*>(at);
            const uintptr_t name = at + sizeof(*note);
            const uintptr_t bytes = name + ((note->n_namesz + 3) & ~3u);
            if (bytes + note->n_descsz > note_end) break;
            if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && note->n_descsz <= 64 &&
                memcmp(reinterpret_cast<const void*>(name), "GNU", 4) == 0) {
                return {reinterpret_cast<const void*>(bytes), note->n_descsz};
            }
            at = bytes + ((note->n_descsz + 3) & ~3u);
        }
    }
    return {};
}

void absolute_path(const link_map& map, bool is_vdso, Text& path) {
    if (is_vdso) {
        path.add("[vdso]");
    } else if (map.l_name == nullptr || map.l_name[0] == 0) {
        path.add(process.executable);
    } else {
        if (map.l_name[0] != '/' && may_call_kernel()) {
            char directory[1024];
            const long length =
                raw::call(SYS_getcwd, reinterpret_cast<long>(directory), sizeof(directory));
            if (!raw::failed(length) && directory[0] == '/') path.add(directory).add('/');
        }
        path.add(map.l_name);
    }
}

KnownModule* slot_for(ModuleTable& table, uintptr_t begin) {
    for (uintptr_t i = begin >> 12;; i++) {
        KnownModule& slot = table.slots[i % ModuleTable::kSlots];
        const uintptr_t held = slot.begin.load(std::memory_order_acquire);
        if (held == begin || held == 0) return &slot;
    }
}

// Under the lock: where a module that is not known is to go. The place of one that has gone serves
// again: programs load and unload more often than there are slots. nullptr: all are taken.
KnownModule* slot_to_fill(ModuleTable& table, uintptr_t begin) {
    KnownModule* gone = nullptr;
    for (uintptr_t i = begin >> 12;; i++) {
        KnownModule& slot = table.slots[i % ModuleTable::kSlots];
        const uintptr_t held = slot.begin.load(std::memory_order_relaxed);
        if (held == begin) return &slot;
        if (held != 0 && slot.gone && !gone) gone = &slot;
        if (held != 0) continue;
        if (gone) return gone;
        // One slot in four stays free, so that searching ends.
        return table.used < ModuleTable::kSlots / 4 * 3 ? &slot : nullptr;
    }
}

// Hash of a module's first bytes: its headers, and with most linkers the build-id. 0 where that is
// not to be had.
uint64_t identity_of(const Module& module) {
    uint64_t words[128] = {};
    if (!copy_memory(reinterpret_cast<const void*>(module.begin), words, sizeof(words))) return 0;
    uint64_t hash = 0;
    for (const uint64_t word : words) {
        hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
        hash ^= hash >> 29;
    }
    return hash;
}

// Where an identity is not to be had, as in a sandbox, the loader's entry decides alone.
bool is_same(const KnownModule& known, const Module& module) {
    if (known.link_map != module.map) return false;
    const uint64_t identity = identity_of(module);
    return identity == known.identity || identity == 0 || known.identity == 0;
}

// While a dlclose is under way what was known there may have given way to another.
bool is_known(ModuleTable& table, const Module& module) {
    const KnownModule* slot = slot_for(table, module.begin);
    return slot->begin.load(std::memory_order_relaxed) != 0 && !slot->gone &&
           (modules_closing() ? is_same(*slot, module) : slot->link_map == module.map);
}

// Under the lock.
void write_unload(Session& session, KnownModule& module) {
    module.gone = 1;
    Log* meta = make_meta_room(0);
    if (!meta) return;
    Fields fields;
    fields.value = module.index;
    fields.detail = module_epoch() + 1;
    write_record<trace::Op::kUnload>(*meta, ticks_after(session.clock), fields, 0);
}

// Under the lock.
void write_load(Session& session, KnownModule* slot, const Module& module) {
    ModuleTable& table = session.modules;
    const uintptr_t begin = module.begin, end = module.end;
    const link_map& map = *module.map;
    const bool is_vdso = begin == process.vdso;
    char buffer[1200];
    Text path(buffer, sizeof(buffer));
    absolute_path(map, is_vdso, path);
    // The mapped range of the vDSO starts below its ELF header on some kernels.
    const BuildId id = find_build_id(begin, end, map.l_addr);
    Log* meta = make_meta_room(static_cast<uint32_t>(path.size()) + id.size);
    if (!meta) return;
    Fields fields;
    fields.address = begin;
    fields.other = map.l_addr;
    fields.size = end - begin;
    fields.value = table.count;
    fields.detail = module_epoch();
    fields.text = path.c_str();
    fields.text_size = static_cast<uint32_t>(path.size());
    fields.text2 = id.bytes;
    fields.text2_size = id.size;
    write_record<trace::Op::kLoad>(*meta, ticks_after(session.clock), fields, 0);
    if (slot->begin.exchange(1, std::memory_order_acq_rel) == 0) table.used++;
    slot->link_map = &map;
    slot->identity = identity_of(module);
    slot->index = table.count++;
    slot->gone = 0;
    slot->begin.store(begin, std::memory_order_release);
}

void raise_epoch() {
    process.file.header->epoch = loader_state.epoch.fetch_add(1, std::memory_order_acq_rel) + 1;
    drop_frame_rules();
}

}  // namespace

LoaderState loader_state;

void note_module(const Module& module) {
    Session& session = *process.session;
    ModuleTable& table = session.modules;
    if (!module.map || is_known(table, module)) return;
    SlowLockHolder lock(session.lock, may_call_kernel());
    if (!lock.owned() || is_known(table, module)) return;
    KnownModule* slot = slot_to_fill(table, module.begin);
    if (!slot) return count_loss(trace::Loss::kNoMemory);  // what has no module has no names
    if (slot->begin.load(std::memory_order_relaxed) != 0 && !slot->gone) {
        // Unloaded by libc itself (iconv, NSS), unseen until now, or by a dlclose under way.
        write_unload(session, *slot);
        raise_epoch();
    }
    write_load(session, slot, module);
}

void before_dlclose() {
    loader_state.closing.fetch_add(1, std::memory_order_acq_rel);
}

void after_dlclose() {
    if (process.session && process.session->modules.slots) {
        Session& session = *process.session;
        ModuleTable& table = session.modules;
        renew_modules();
        SlowLockHolder lock(session.lock, may_call_kernel());
        bool any_gone = false;
        for (unsigned i = 0; lock.owned() && i < ModuleTable::kSlots; i++) {
            KnownModule& slot = table.slots[i];
            const uintptr_t begin = slot.begin.load(std::memory_order_relaxed);
            if (begin == 0 || slot.gone) continue;
            Module module;
            if (find_module(begin, module) && is_same(slot, module)) continue;
            write_unload(session, slot);
            any_gone = true;
        }
        if (any_gone) raise_epoch();
    }
    loader_state.closing.fetch_sub(1, std::memory_order_acq_rel);
}

void note_loaded_modules() {
    if (!process.session || process.session->state.load() != SessionState::kRecording) return;
    for (const link_map* map = first_module(); map; map = map->l_next) {
        Module module;
        if (find_module(reinterpret_cast<uintptr_t>(map->l_ld), module)) note_module(module);
    }
}

}  // namespace lastref
