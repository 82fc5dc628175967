#include "hook_decoder.h"

#include <Zydis/Zydis.h>
#include <dlfcn.h>

namespace lastref::hooks {
namespace {

// Its structures change with the minor version; the library's name does too.
#ifdef LASTREF_ZYDIS_SONAME
constexpr const char* kLibrary = LASTREF_ZYDIS_SONAME;
#else
constexpr const char* kLibrary = "libZydis.so.4.0";
#endif

decltype(&ZydisDecoderInit) initialise;
decltype(&ZydisDecoderDecodeInstruction) decode_instruction;
ZydisDecoder decoder;

void classify_branch(const ZydisDecodedInstruction& from, Instruction& to) {
    switch (from.meta.category) {
        case ZYDIS_CATEGORY_COND_BR:
            to.kind = Instruction::kOther;  // loop and jrcxz have no longer form
            if (from.opcode_map == ZYDIS_OPCODE_MAP_0F ? (from.opcode & 0xf0) == 0x80
                                                       : (from.opcode & 0xf0) == 0x70) {
                to.kind = Instruction::kBranch;
                to.condition = from.opcode & 15;
            }
            break;
        case ZYDIS_CATEGORY_UNCOND_BR:
            to.kind = Instruction::kJump;
            break;
        case ZYDIS_CATEGORY_CALL:
            to.kind = Instruction::kCall;
            break;
        default:  // xbegin
            to.kind = Instruction::kOther;
            break;
    }
}

int decode_one(const uint8_t* code, size_t size, Instruction& to) {
    ZydisDecodedInstruction from;
    if (!ZYAN_SUCCESS(decode_instruction(&decoder, nullptr, code, size, &from))) return 0;
    to = {from.length, Instruction::kPlain, 0, 0, 0, 0};
    const ZydisInstructionCategory category = from.meta.category;
    const bool relative = from.raw.imm[0].is_relative;
    const bool by_rip =
        from.raw.modrm.offset != 0 && from.raw.modrm.mod == 0 && from.raw.modrm.rm == 5;
    if (relative) {
        to.displacement_at = from.raw.imm[0].offset;
        to.displacement_size = static_cast<uint8_t>(from.raw.imm[0].size / 8);
        to.distance = from.raw.imm[0].value.s;
        classify_branch(from, to);
    } else if (by_rip) {
        to.displacement_at = from.raw.disp.offset;
        to.displacement_size = static_cast<uint8_t>(from.raw.disp.size / 8);
        to.distance = from.raw.disp.value;
        to.kind = category == ZYDIS_CATEGORY_CALL        ? Instruction::kCallMemory
                  : category == ZYDIS_CATEGORY_UNCOND_BR ? Instruction::kJumpMemory
                                                         : Instruction::kRipRelative;
    } else if (category == ZYDIS_CATEGORY_CALL) {
        to.kind = Instruction::kOther;
    } else if (category == ZYDIS_CATEGORY_RET || category == ZYDIS_CATEGORY_UNCOND_BR ||
               from.mnemonic == ZYDIS_MNEMONIC_UD2 || from.mnemonic == ZYDIS_MNEMONIC_HLT) {
        to.kind = Instruction::kEnd;
    }
    return 1;
}

}  // namespace

bool Decoder::load() {
    if (decode_) return true;
    void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        why_ = "libZydis is not installed (Debian: libzydis4.0)";
        return false;
    }
    initialise = reinterpret_cast<decltype(initialise)>(dlsym(library, "ZydisDecoderInit"));
    decode_instruction = reinterpret_cast<decltype(decode_instruction)>(
        dlsym(library, "ZydisDecoderDecodeInstruction"));
    const auto version =
        reinterpret_cast<decltype(&ZydisGetVersion)>(dlsym(library, "ZydisGetVersion"));
    if (!initialise || !decode_instruction || !version ||
        ZYDIS_VERSION_MAJOR(version()) != ZYDIS_VERSION_MAJOR(ZYDIS_VERSION) ||
        ZYDIS_VERSION_MINOR(version()) != ZYDIS_VERSION_MINOR(ZYDIS_VERSION) ||
        !ZYAN_SUCCESS(initialise(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64))) {
        why_ = "libZydis has another version than lastref was built for";
        return false;
    }
    decode_ = decode_one;
    return true;
}

bool Decoder::decode(const uint8_t* code, size_t size, Instruction& instruction) const {
    return decode_(code, size, instruction) != 0;
}

}  // namespace lastref::hooks
