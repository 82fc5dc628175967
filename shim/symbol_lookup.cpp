#include "symbol_lookup.h"

#include <elf.h>
#include <string.h>

namespace lastref {
namespace {

constexpr uint16_t kHiddenVersion = 0x8000;  // of .gnu.version: not the default one
constexpr unsigned kLastReserved = 1;        // indexes 0 and 1 name no version (VER_NDX_GLOBAL)

// A module's dynamic symbol table, as it is mapped.
class SymbolTable {
public:
    explicit SymbolTable(const link_map& module) : SymbolTable(module.l_addr, module.l_ld) {}
    SymbolTable(uintptr_t bias, const ElfW(Dyn) * dynamic) : bias_(bias) {
        for (const ElfW(Dyn)* entry = dynamic; entry && entry->d_tag != DT_NULL; entry++) {
            switch (entry->d_tag) {
                case DT_SYMTAB:
                    set(symbols_, *entry);
                    break;
                case DT_STRTAB:
                    set(strings_, *entry);
                    break;
                case DT_GNU_HASH:
                    set(gnu_hash_, *entry);
                    break;
                case DT_HASH:
                    set(hash_, *entry);
                    break;
                case DT_VERSYM:
                    set(versions_, *entry);
                    break;
                case DT_VERDEF:
                    set(definitions_, *entry);
                    break;
                case DT_VERDEFNUM:
                    definition_count_ = entry->d_un.d_val;
                    break;
                case DT_SONAME:
                    soname_ = entry->d_un.d_val;
                    break;
                default:
                    break;
            }
        }
    }

    const char* soname() const { return soname_ != 0 && strings_ ? strings_ + soname_ : ""; }
    bool has_versions() const { return versions_ != nullptr; }
    // Of the symbol: 0 where it has none.
    uint16_t version_index(uint32_t symbol) const { return versions_ ? versions_[symbol] : 0; }
    uintptr_t address(uint32_t symbol) const {
        const ElfW(Sym)& found = symbols_[symbol];
        const uintptr_t at = bias_ + found.st_value;
        // The loader, too, asks the resolver when it binds a reference.
        return ELF64_ST_TYPE(found.st_info) == STT_GNU_IFUNC
                   ? reinterpret_cast<uintptr_t (*)()>(at)()
                   : at;
    }

    const char* version_name(uint16_t index) const {
        index &= static_cast<uint16_t>(~kHiddenVersion);
        if (index <= kLastReserved || !definitions_ || !strings_) return nullptr;
        const uint8_t* at = definitions_;
        for (uint64_t i = 0; i < definition_count_; i++) {
            const auto* definition = reinterpret_cast<const ElfW(Verdef)*>(at);
            if (definition->vd_ndx == index) {
                const auto* name = reinterpret_cast<const ElfW(Verdaux)*>(at + definition->vd_aux);
                return strings_ + name->vda_name;
            }
            if (definition->vd_next == 0) break;
            at += definition->vd_next;
        }
        return nullptr;
    }

    // Calls accept(symbol's index) for each definition of `name`, until it returns true.
    template <typename Accept>
    bool find(const char* name, Accept accept) const {
        if (!symbols_ || !strings_) return false;
        if (gnu_hash_) return find_by_gnu_hash(name, accept);
        return hash_ && find_by_hash(name, accept);
    }

    // Whether it has `name` as an undefined symbol. Those stand in front of the hashed ones, and
    // DT_HASH has them all.
    bool refers_to(const char* name) const {
        const uint32_t count = gnu_hash_ ? gnu_hash_[1] : hash_ ? hash_[1] : 0;
        for (uint32_t i = 1; symbols_ && strings_ && i < count; i++) {
            if (symbols_[i].st_shndx == SHN_UNDEF &&
                strcmp(strings_ + symbols_[i].st_name, name) == 0) {
                return true;
            }
        }
        return false;
    }

private:
    template <typename T>
    void set(const T*& table, const ElfW(Dyn) & entry) {
        // The loader has relocated the pointer, except where the section is read-only (vDSO).
        const uintptr_t at = entry.d_un.d_ptr;
        table = reinterpret_cast<const T*>(at < bias_ ? at + bias_ : at);
    }

    bool defines(uint32_t symbol, const char* name) const {
        const ElfW(Sym)& found = symbols_[symbol];
        const unsigned type = ELF64_ST_TYPE(found.st_info);
        return found.st_shndx != SHN_UNDEF && found.st_value != 0 &&
               (type == STT_FUNC || type == STT_NOTYPE || type == STT_GNU_IFUNC) &&
               strcmp(strings_ + found.st_name, name) == 0;
    }

    // The layout is that of binutils' and glibc's DT_GNU_HASH (glibc's dl-lookup.c reads it).
    template <typename Accept>
    bool find_by_gnu_hash(const char* name, Accept accept) const {
        uint32_t hash = 5381;
        for (const char* c = name; *c; c++) hash = hash * 33 + static_cast<uint8_t>(*c);
        const uint32_t buckets = gnu_hash_[0], first = gnu_hash_[1];
        const uint32_t bloom_words = gnu_hash_[2], bloom_shift = gnu_hash_[3];
        if (buckets == 0 || bloom_words == 0) return false;
        const auto* bloom = reinterpret_cast<const uint64_t*>(gnu_hash_ + 4);
        const uint64_t word = bloom[hash / 64 % bloom_words];
        if ((word >> hash % 64 & word >> (hash >> bloom_shift) % 64 & 1) == 0) return false;
        const auto* bucket = reinterpret_cast<const uint32_t*>(bloom + bloom_words);
        const uint32_t* chain = bucket + buckets;
        uint32_t symbol = bucket[hash % buckets];
        if (symbol < first) return false;
        for (;; symbol++) {
            const uint32_t held = chain[symbol - first];
            if ((held | 1) == (hash | 1) && defines(symbol, name) && accept(symbol)) return true;
            if (held & 1) return false;
        }
    }

    // System V ABI, chapter 5, 'Hash Table'.
    template <typename Accept>
    bool find_by_hash(const char* name, Accept accept) const {
        uint32_t hash = 0;
        for (const char* c = name; *c; c++) {
            hash = (hash << 4) + static_cast<uint8_t>(*c);
            hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
        }
        const uint32_t buckets = hash_[0];
        if (buckets == 0) return false;
        const uint32_t* chain = hash_ + 2 + buckets;
        for (uint32_t symbol = hash_[2 + hash % buckets]; symbol != 0; symbol = chain[symbol]) {
            if (defines(symbol, name) && accept(symbol)) return true;
        }
        return false;
    }

    uintptr_t bias_;
    const ElfW(Sym) * symbols_ = nullptr;
    const char* strings_ = nullptr;
    const uint32_t* gnu_hash_ = nullptr;
    const uint32_t* hash_ = nullptr;
    const uint16_t* versions_ = nullptr;
    const uint8_t* definitions_ = nullptr;
    uint64_t definition_count_ = 0, soname_ = 0;
};

// The version in which the C library defines `name`: what programs are linked to. nullptr where it
// has none.
const char* usual_version(const char* name) {
    const link_map* libc = libc_module();
    if (!libc) return nullptr;
    const SymbolTable table(*libc);
    const char* version = nullptr;
    table.find(name, [&](uint32_t symbol) {
        const uint16_t index = table.version_index(symbol);
        // Some exist for old programs alone (cfree): then that one.
        if (!version || (index & kHiddenVersion) == 0) version = table.version_name(index);
        return (index & kHiddenVersion) == 0;
    });
    return version;
}

}  // namespace

const link_map* first_module() {
    return _r_debug.r_map;
}

const link_map* own_module() {
    static const link_map* own;
    if (own) return own;
    for (const link_map* module = first_module(); module; module = module->l_next) {
        if (module->l_ld == _DYNAMIC) return own = module;
    }
    return nullptr;
}

const link_map* libc_module() {
    static const link_map* libc;
    if (libc) return libc;
    for (const link_map* module = first_module(); module; module = module->l_next) {
        const char* soname = SymbolTable(*module).soname();
        if (strncmp(soname, "libc.so", 7) == 0 || strncmp(soname, "libc.musl-", 10) == 0) {
            return libc = module;
        }
    }
    return nullptr;
}

Definition find_definition(const char* name, const link_map* from, const link_map* end) {
    const char* wanted = nullptr;
    bool asked = false;
    Definition found;
    for (const link_map* module = from; module && module != end; module = module->l_next) {
        const SymbolTable table(*module);
        table.find(name, [&](uint32_t symbol) {
            const uint16_t index = table.version_index(symbol);
            if (!asked && (index & ~kHiddenVersion) > kLastReserved) {
                wanted = usual_version(name);
                asked = true;
            }
            // As glibc's check_match() for a reference with a version.
            const char* version = table.version_name(index);
            if (wanted && version ? strcmp(version, wanted) != 0 : (index & kHiddenVersion) != 0) {
                return false;
            }
            found = {table.address(symbol), module};
            return true;
        });
        if (found.address != 0) return found;
    }
    return found;
}

uintptr_t libc_symbol(const char* name) {
    static constexpr const char* kModules[] = {"libc.so", "libc.musl-", "libpthread.so",
                                               "libdl.so"};
    uintptr_t address = 0;
    for (const link_map* module = first_module(); module && address == 0; module = module->l_next) {
        const SymbolTable table(*module);
        bool of_libc = false;
        for (const char* prefix : kModules) {
            of_libc |= strncmp(table.soname(), prefix, strlen(prefix)) == 0;
        }
        if (!of_libc) continue;
        table.find(name, [&](uint32_t symbol) {
            if (table.version_index(symbol) & kHiddenVersion) return false;
            address = table.address(symbol);
            return true;
        });
    }
    return address;
}

SegmentSpan span_of(const link_map* library) {
    SegmentSpan span;
    const auto* header = library ? reinterpret_cast<const ElfW(Ehdr)*>(library->l_addr) : nullptr;
    if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return span;
    const auto* segments = reinterpret_cast<const ElfW(Phdr)*>(library->l_addr + header->e_phoff);
    for (unsigned i = 0; i < header->e_phnum; i++) span.add(segments[i], library->l_addr);
    return span;
}

bool is_referred_to(const char* name) {
    for (const link_map* module = first_module(); module; module = module->l_next) {
        if (SymbolTable(*module).refers_to(name)) return true;
    }
    return false;
}

uintptr_t vdso_symbol(uintptr_t header, const char* name) {
    if (header == 0) return 0;
    const auto* elf = reinterpret_cast<const ElfW(Ehdr)*>(header);
    const auto* segments = reinterpret_cast<const ElfW(Phdr)*>(header + elf->e_phoff);
    const ElfW(Phdr)* first = nullptr, *dynamic = nullptr;
    for (unsigned i = 0; i < elf->e_phnum; i++) {
        if (segments[i].p_type == PT_LOAD && !first) first = &segments[i];
        if (segments[i].p_type == PT_DYNAMIC) dynamic = &segments[i];
    }
    if (!first || !dynamic) return 0;
    const uintptr_t bias = header + first->p_offset - first->p_vaddr;
    const SymbolTable table(bias, reinterpret_cast<const ElfW(Dyn)*>(bias + dynamic->p_vaddr));
    uintptr_t address = 0;
    table.find(name, [&](uint32_t symbol) {
        address = table.address(symbol);
        return true;
    });
    return address;
}

}  // namespace lastref
