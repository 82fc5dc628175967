// An ELF file in memory, as far as hooks need it: its soname, build-id, symbols and code.
//
// Reads a mapped file, every offset checked against its size. Shared by the shim and the command.
#ifndef LASTREF_SHIM_HOOK_ELF_H
#define LASTREF_SHIM_HOOK_ELF_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

namespace lastref::hooks {

struct Symbol {
    const char* name;
    uint64_t address;  // in the file's address space
    uint64_t size;     // 0: not known
    uint8_t type;      // STT_*
    uint16_t version;  // of the file's version definitions; 0: none
};

class ElfImage {
public:
    // `bytes` is the whole file and outlives this. False where it is no x86-64 ELF file.
    bool open(const uint8_t* bytes, size_t size);

    const char* soname() const { return soname_; }  // "" where there is none
    const uint8_t* build_id(size_t& size) const;
    // Whether its build-id begins with these hexadecimal digits.
    bool has_build_id(const char* digits, size_t count) const;

    // Where the file holds what is loaded at `address`, and how many bytes from there to the
    // segment's end; nullptr where it holds nothing.
    const uint8_t* at(uint64_t address, size_t& available) const;
    // How many bytes the file holds in front of them in the same segment.
    size_t preceding(uint64_t address) const;
    bool is_code(uint64_t address) const;
    // [low, high): what its segments take up.
    void loaded_range(uint64_t& low, uint64_t& high) const;

    // Defined symbols with an address, of .dynsym and .symtab. `visit` returns false to end.
    template <typename Visit>
    void for_each_symbol(Visit&& visit) const {
        for (unsigned table = 0; table < 2; table++) {
            for (uint64_t i = 0; i < tables_[table].count; i++) {
                Symbol symbol;
                if (read_symbol(tables_[table], i, symbol) && !visit(symbol)) return;
            }
        }
    }
    // Whether `name` means the symbol: its name, or NAME@VERSION.
    bool is_called(const Symbol& symbol, const char* name, size_t size) const;
    bool has_symbol_table() const { return tables_[1].count != 0; }
    // The file that its symbols were stripped into; "" where it names none.
    const char* debug_link() const { return debug_link_; }
    // Takes over the symbols of that file, if it is of the same build. Its bytes outlive this, too.
    bool take_symbols(const ElfImage& stripped_off);

    // How long the function at `address` is: its symbol's size, else up to the next symbol, else
    // to the segment's end.
    size_t function_size(uint64_t address, uint64_t symbol_size) const;

private:
    struct Table {
        const Elf64_Sym* symbols = nullptr;
        uint64_t count = 0;
        const char* strings = nullptr;
        uint64_t strings_size = 0;
    };
    template <typename T>
    const T* array(uint64_t offset, uint64_t count) const {
        if (offset > size_ || count > (size_ - offset) / sizeof(T) || offset % alignof(T) != 0) {
            return nullptr;
        }
        return reinterpret_cast<const T*>(bytes_ + offset);
    }
    bool read_symbol(const Table& table, uint64_t index, Symbol& symbol) const;
    void find_tables(const Elf64_Ehdr& header);
    void find_soname();
    void find_versions(const Elf64_Shdr* sections, unsigned count);
    void find_debug_link(const Elf64_Ehdr& header, const Elf64_Shdr* sections);
    const char* version_name(uint16_t version) const;  // "" where it has none

    const uint8_t* bytes_ = nullptr;
    size_t size_ = 0;
    const Elf64_Phdr* segments_ = nullptr;
    unsigned segment_count_ = 0;
    Table tables_[2];  // .dynsym, .symtab
    const char* soname_ = "";
    const char* debug_link_ = "";
    const uint16_t* symbol_versions_ = nullptr;  // as many as .dynsym has symbols
    const uint8_t* versions_ = nullptr;          // Elf64_Verdef and Elf64_Verdaux
    uint64_t versions_size_ = 0;
};

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOK_ELF_H
