// The decoder against Zydis: over the code of whole libraries, and over bytes that no compiler
// makes.
#include "hook_decoder.h"

#include <Zydis/Zydis.h>
#include <elf.h>
#include <fmt/format.h>
#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "support/catch.h"

using lastref::hooks::decode;
using lastref::hooks::Instruction;

namespace {

class Oracle {
public:
    Oracle() { ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64); }

    bool decode(const uint8_t* code, size_t size, Instruction& to) {
        ZydisDecodedInstruction from;
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder_, nullptr, code, size, &from))) {
            return false;
        }
        to = {from.length, Instruction::kPlain, 0, 0, 0, 0};
        // Knights Corner's branches on mask registers: of a processor that is no more.
        if (from.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX && from.raw.imm[0].is_relative) {
            return false;
        }
        if (from.mnemonic == ZYDIS_MNEMONIC_XABORT) return true;  // goes on outside a transaction
        // Moves to and from control registers have no memory operand, whatever the mode says.
        const bool registers = from.opcode_map == ZYDIS_OPCODE_MAP_0F && from.opcode >> 2 == 8;
        const bool by_rip = !registers && from.raw.modrm.offset != 0 && from.raw.modrm.mod == 0 &&
                            from.raw.modrm.rm == 5;
        const ZydisInstructionCategory category = from.meta.category;
        if (from.raw.imm[0].is_relative) {
            to.displacement_at = from.raw.imm[0].offset;
            to.displacement_size = static_cast<uint8_t>(from.raw.imm[0].size / 8);
            to.distance = from.raw.imm[0].value.s;
            to.kind = Instruction::kOther;
            if (category == ZYDIS_CATEGORY_CALL) to.kind = Instruction::kCall;
            if (category == ZYDIS_CATEGORY_UNCOND_BR) to.kind = Instruction::kJump;
            const bool jcc = from.opcode_map == ZYDIS_OPCODE_MAP_0F ? from.opcode >> 4 == 8
                                                                    : from.opcode >> 4 == 7;
            if (category == ZYDIS_CATEGORY_COND_BR && jcc) {
                to.kind = Instruction::kBranch;
                to.condition = from.opcode & 15;
            }
        } else if (by_rip) {
            to.displacement_at = from.raw.disp.offset;
            to.displacement_size = static_cast<uint8_t>(from.raw.disp.size / 8);
            to.distance = from.raw.disp.value;
            to.kind = category == ZYDIS_CATEGORY_CALL        ? Instruction::kCallMemory
                      : category == ZYDIS_CATEGORY_UNCOND_BR ? Instruction::kJumpMemory
                                                             : Instruction::kRipRelative;
            const bool far = from.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
            if (from.address_width != 64 || far) to.kind = Instruction::kOther;
        } else if (category == ZYDIS_CATEGORY_CALL) {
            to.kind = Instruction::kOther;
        } else if (category == ZYDIS_CATEGORY_RET || category == ZYDIS_CATEGORY_UNCOND_BR ||
                   from.mnemonic == ZYDIS_MNEMONIC_UD2 || from.mnemonic == ZYDIS_MNEMONIC_HLT) {
            to.kind = Instruction::kEnd;
        }
        return true;
    }

private:
    ZydisDecoder decoder_;
};

std::string bytes_of(const uint8_t* code, size_t size) {
    std::string text;
    for (size_t i = 0; i < std::min<size_t>(size, 15); i++) text += fmt::format("{:02x} ", code[i]);
    return text;
}

std::string text_of(const Instruction& one) {
    return fmt::format("length {} kind {} displacement {}+{} distance {} condition {}", one.length,
                       static_cast<int>(one.kind), one.displacement_at, one.displacement_size,
                       one.distance, one.condition);
}

// The executable sections of a file.
std::vector<std::vector<uint8_t>> code_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> all{std::istreambuf_iterator<char>(file), {}};
    std::vector<std::vector<uint8_t>> found;
    if (all.size() < sizeof(Elf64_Ehdr)) return found;
    Elf64_Ehdr header;
    std::memcpy(&header, all.data(), sizeof(header));
    for (unsigned i = 0; i < header.e_shnum; i++) {
        Elf64_Shdr section;
        std::memcpy(&section, all.data() + header.e_shoff + i * sizeof(section), sizeof(section));
        if (section.sh_type != SHT_PROGBITS || !(section.sh_flags & SHF_EXECINSTR)) continue;
        const auto* begin = reinterpret_cast<const uint8_t*>(all.data()) + section.sh_offset;
        found.emplace_back(begin, begin + section.sh_size);
    }
    return found;
}

}  // namespace

TEST_CASE("compiled code is decoded as Zydis decodes it") {
    // This program, and libraries of many kinds of code that every build machine has.
    const std::string folder = "/usr/lib/x86_64-linux-gnu/";
    const std::vector<std::string> paths = {"/proc/self/exe",           folder + "libc.so.6",
                                            folder + "libm.so.6",       folder + "libstdc++.so.6",
                                            folder + "libzstd.so.1",    folder + "libcrypto.so.3",
                                            folder + "libsqlite3.so.0", folder + "libgmp.so.10"};
    Oracle oracle;
    size_t compared = 0, differences = 0, unread = 0;
    std::string first;
    for (const std::string& path : paths) {
        for (const std::vector<uint8_t>& code : code_of(path)) {
            for (size_t at = 0; at < code.size();) {
                const size_t left = code.size() - at;
                Instruction expected, ours;
                if (!oracle.decode(code.data() + at, left, expected)) {
                    unread++;  // a table between functions
                    at++;
                    continue;
                }
                compared++;
                const bool read = decode(code.data() + at, left, ours);
                if (!read || text_of(ours) != text_of(expected)) {
                    differences++;
                    if (first.empty()) {
                        first = path + ": " + bytes_of(code.data() + at, left) + "\nZydis " +
                                text_of(expected) + "\nours  " +
                                (read ? text_of(ours) : "can't be read");
                    }
                }
                at += expected.length;
            }
        }
    }
    CAPTURE(first, compared, unread);
    CHECK(differences == 0);
    CHECK(compared > 500000);
}

TEST_CASE("random bytes that Zydis can read have the same length") {
    Oracle oracle;
    std::mt19937_64 random(20260);
    size_t compared = 0, differences = 0;
    std::string first;
    for (int i = 0; i < 2000000; i++) {
        uint8_t code[16];
        const uint64_t words[2] = {random(), random()};
        std::memcpy(code, words, sizeof(code));
        Instruction expected, ours;
        if (!oracle.decode(code, sizeof(code), expected)) continue;
        compared++;
        const bool read = decode(code, sizeof(code), ours);
        if (!read || text_of(ours) != text_of(expected)) {
            differences++;
            if (first.empty()) {
                first = bytes_of(code, sizeof(code)) + "\nZydis " + text_of(expected) + "\nours  " +
                        (read ? text_of(ours) : "can't be read");
            }
        }
    }
    CAPTURE(first, compared, differences);
    CHECK(differences == 0);
    CHECK(compared > 1000000);
}

TEST_CASE("an instruction that is cut off is none") {
    const std::vector<uint8_t> call = {0xe8, 1, 2, 3, 4};
    Instruction one;
    for (size_t size = 0; size < call.size(); size++) {
        CHECK_FALSE(decode(call.data(), size, one));
    }
    CHECK(decode(call.data(), call.size(), one));
    CHECK(one.distance == 0x04030201);
    const std::vector<uint8_t> prefixes(20, 0x66);
    CHECK_FALSE(decode(prefixes.data(), prefixes.size(), one));
}
