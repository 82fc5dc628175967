#include "hook_elf.h"

#include <string.h>

namespace lastref::hooks {

bool ElfImage::open(const uint8_t* bytes, size_t size) {
    *this = ElfImage();
    bytes_ = bytes;
    size_ = size;
    const auto* header = array<Elf64_Ehdr>(0, 1);
    if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64) {
        return false;
    }
    segments_ = array<Elf64_Phdr>(header->e_phoff, header->e_phnum);
    segment_count_ = segments_ ? header->e_phnum : 0;
    find_tables(*header);
    find_soname();
    return segment_count_ != 0;
}

void ElfImage::find_tables(const Elf64_Ehdr& header) {
    const auto* sections = array<Elf64_Shdr>(header.e_shoff, header.e_shnum);
    for (unsigned i = 0; sections && i < header.e_shnum; i++) {
        const Elf64_Shdr& section = sections[i];
        if (section.sh_type != SHT_DYNSYM && section.sh_type != SHT_SYMTAB) continue;
        if (section.sh_link >= header.e_shnum) continue;
        Table table;
        table.count = section.sh_size / sizeof(Elf64_Sym);
        table.symbols = array<Elf64_Sym>(section.sh_offset, table.count);
        table.strings_size = sections[section.sh_link].sh_size;
        table.strings = array<char>(sections[section.sh_link].sh_offset, table.strings_size);
        if (!table.symbols || !table.strings || table.strings_size == 0 ||
            table.strings[table.strings_size - 1] != 0) {
            continue;
        }
        tables_[section.sh_type == SHT_SYMTAB] = table;
    }
    if (!sections) return;
    find_versions(sections, header.e_shnum);
    find_debug_link(header, sections);
}

void ElfImage::find_debug_link(const Elf64_Ehdr& header, const Elf64_Shdr* sections) {
    constexpr char kName[] = ".gnu_debuglink";
    if (header.e_shstrndx >= header.e_shnum) return;
    const Elf64_Shdr& names = sections[header.e_shstrndx];
    const char* const text = array<char>(names.sh_offset, names.sh_size);
    for (unsigned i = 0; text && i < header.e_shnum; i++) {
        const Elf64_Shdr& section = sections[i];
        if (section.sh_type != SHT_PROGBITS || section.sh_name > names.sh_size ||
            names.sh_size - section.sh_name < sizeof(kName) ||
            memcmp(text + section.sh_name, kName, sizeof(kName)) != 0) {
            continue;
        }
        const char* const link = array<char>(section.sh_offset, section.sh_size);
        if (link && memchr(link, 0, section.sh_size)) debug_link_ = link;
    }
}

bool ElfImage::take_symbols(const ElfImage& stripped_off) {
    size_t size = 0, other_size = 0;
    const uint8_t* const id = build_id(size);
    const uint8_t* const other = stripped_off.build_id(other_size);
    if (!id || !other || size != other_size || memcmp(id, other, size) != 0 ||
        !stripped_off.has_symbol_table()) {
        return false;
    }
    tables_[1] = stripped_off.tables_[1];
    return true;
}

void ElfImage::find_versions(const Elf64_Shdr* sections, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        const Elf64_Shdr& section = sections[i];
        if (section.sh_type == SHT_GNU_versym) {
            symbol_versions_ = array<uint16_t>(section.sh_offset, tables_[0].count);
        } else if (section.sh_type == SHT_GNU_verdef) {
            versions_ = array<uint8_t>(section.sh_offset, section.sh_size);
            versions_size_ = versions_ ? section.sh_size : 0;
        }
    }
}

const char* ElfImage::version_name(uint16_t version) const {
    Elf64_Verdef one;
    Elf64_Verdaux name;
    for (uint64_t at = 0; versions_size_ - at >= sizeof(one); at += one.vd_next) {
        memcpy(&one, versions_ + at, sizeof(one));
        if (one.vd_ndx == version) {
            const uint64_t aux = at + one.vd_aux;
            if (aux > versions_size_ || versions_size_ - aux < sizeof(name)) return "";
            memcpy(&name, versions_ + aux, sizeof(name));
            return name.vda_name < tables_[0].strings_size ? tables_[0].strings + name.vda_name
                                                           : "";
        }
        if (one.vd_next == 0 || one.vd_next > versions_size_ - at) return "";
    }
    return "";
}

bool ElfImage::is_called(const Symbol& symbol, const char* name, size_t size) const {
    const size_t length = strlen(symbol.name);
    if (length > size || memcmp(symbol.name, name, length) != 0) return false;
    if (length == size) return true;
    if (name[length] != '@') return false;
    const char* const version = version_name(symbol.version);
    return strlen(version) == size - length - 1 &&
           memcmp(version, name + length + 1, size - length - 1) == 0;
}

void ElfImage::find_soname() {
    for (unsigned i = 0; i < segment_count_; i++) {
        if (segments_[i].p_type != PT_DYNAMIC) continue;
        const uint64_t count = segments_[i].p_filesz / sizeof(Elf64_Dyn);
        const auto* entries = array<Elf64_Dyn>(segments_[i].p_offset, count);
        uint64_t strings = 0, strings_size = 0, name = 0;
        for (uint64_t e = 0; entries && e < count && entries[e].d_tag != DT_NULL; e++) {
            if (entries[e].d_tag == DT_STRTAB) strings = entries[e].d_un.d_ptr;
            if (entries[e].d_tag == DT_STRSZ) strings_size = entries[e].d_un.d_val;
            if (entries[e].d_tag == DT_SONAME) name = entries[e].d_un.d_val;
        }
        size_t available = 0;
        const uint8_t* table = at(strings, available);
        if (name == 0 || !table || name >= available || name >= strings_size) return;
        if (memchr(table + name, 0, available - name)) {
            soname_ = reinterpret_cast<const char*>(table + name);
        }
    }
}

const uint8_t* ElfImage::build_id(size_t& size) const {
    for (unsigned i = 0; i < segment_count_; i++) {
        if (segments_[i].p_type != PT_NOTE) continue;
        const uint8_t* notes = array<uint8_t>(segments_[i].p_offset, segments_[i].p_filesz);
        uint64_t left = notes ? segments_[i].p_filesz : 0;
        while (left >= sizeof(Elf64_Nhdr)) {
            Elf64_Nhdr note;
            memcpy(&note, notes, sizeof(note));
            const uint64_t name = (uint64_t{note.n_namesz} + 3) & ~3ull;
            const uint64_t whole = sizeof(note) + name + ((uint64_t{note.n_descsz} + 3) & ~3ull);
            if (whole > left) break;
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
                memcmp(notes + sizeof(note), "GNU", 4) == 0) {
                size = note.n_descsz;
                return notes + sizeof(note) + name;
            }
            notes += whole;
            left -= whole;
        }
    }
    size = 0;
    return nullptr;
}

bool ElfImage::has_build_id(const char* digits, size_t count) const {
    size_t size = 0;
    const uint8_t* id = build_id(size);
    if (!id || count > 2 * size) return false;
    for (size_t i = 0; i < count; i++) {
        const unsigned half = i % 2 == 0 ? id[i / 2] >> 4 : id[i / 2] & 15;
        const char digit =
            digits[i] >= 'A' && digits[i] <= 'F' ? static_cast<char>(digits[i] | 32) : digits[i];
        if (digit != "0123456789abcdef"[half]) return false;
    }
    return true;
}

const uint8_t* ElfImage::at(uint64_t address, size_t& available) const {
    for (unsigned i = 0; i < segment_count_; i++) {
        const Elf64_Phdr& segment = segments_[i];
        if (segment.p_type != PT_LOAD || address - segment.p_vaddr >= segment.p_filesz) continue;
        const uint8_t* bytes = array<uint8_t>(segment.p_offset, segment.p_filesz);
        if (!bytes) continue;
        available = segment.p_filesz - (address - segment.p_vaddr);
        return bytes + (address - segment.p_vaddr);
    }
    available = 0;
    return nullptr;
}

size_t ElfImage::preceding(uint64_t address) const {
    for (unsigned i = 0; i < segment_count_; i++) {
        const Elf64_Phdr& segment = segments_[i];
        if (segment.p_type == PT_LOAD && address - segment.p_vaddr < segment.p_filesz) {
            return address - segment.p_vaddr;
        }
    }
    return 0;
}

bool ElfImage::is_code(uint64_t address) const {
    for (unsigned i = 0; i < segment_count_; i++) {
        const Elf64_Phdr& segment = segments_[i];
        if (segment.p_type == PT_LOAD && address - segment.p_vaddr < segment.p_filesz) {
            return (segment.p_flags & PF_X) != 0;
        }
    }
    return false;
}

void ElfImage::loaded_range(uint64_t& low, uint64_t& high) const {
    low = UINT64_MAX;
    high = 0;
    for (unsigned i = 0; i < segment_count_; i++) {
        const Elf64_Phdr& segment = segments_[i];
        if (segment.p_type != PT_LOAD) continue;
        if (segment.p_vaddr < low) low = segment.p_vaddr;
        if (segment.p_vaddr + segment.p_memsz > high) high = segment.p_vaddr + segment.p_memsz;
    }
    if (low > high) low = high = 0;
}

bool ElfImage::read_symbol(const Table& table, uint64_t index, Symbol& symbol) const {
    const Elf64_Sym& from = table.symbols[index];
    if (from.st_shndx == SHN_UNDEF || from.st_value == 0 || from.st_name >= table.strings_size) {
        return false;
    }
    constexpr uint16_t kHidden = 0x8000;  // not the default version
    const bool versioned = &table == &tables_[0] && symbol_versions_;
    symbol = {table.strings + from.st_name, from.st_value, from.st_size,
              static_cast<uint8_t>(ELF64_ST_TYPE(from.st_info)),
              static_cast<uint16_t>(versioned ? symbol_versions_[index] & ~kHidden : 0)};
    return symbol.type != STT_TLS && symbol.type != STT_FILE && symbol.type != STT_SECTION;
}

size_t ElfImage::function_size(uint64_t address, uint64_t symbol_size) const {
    size_t available = 0;
    if (!at(address, available)) return 0;
    if (symbol_size != 0 && symbol_size <= available) return symbol_size;
    uint64_t nearest = address + available;
    for_each_symbol([&](const Symbol& symbol) {
        if (symbol.address > address && symbol.address < nearest) nearest = symbol.address;
        return true;
    });
    return nearest - address;
}

}  // namespace lastref::hooks
