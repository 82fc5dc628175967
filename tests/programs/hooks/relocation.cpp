// Every exported function of the given libraries: its first instructions are moved as the hooks of
// the shim would move them, or refused; what was moved is executed, and the original beside it.
//
// Usage: relocation [--every N] [--spoil] LIBRARY...
//     --every N   only each Nth function of each library
//     --spoil     each distance in the moved code is made wrong by 16: all must be found
//
// The libraries are laid out in memory as the loader would, but nothing of theirs is run: two
// stopped processes (puppet.h) step through the original and through the moved instructions, from
// the same registers, until control leaves them. Then must agree: where control goes, all general
// and vector registers, flags, the stack, and at the end of a library all memory. Everything that
// is no code is filled with addresses that depend on the place, so that a load from, a store to or
// a comparison with a wrong address shows. Each function is run three times: with pointers, with
// zeros and with negative numbers in its registers; once more with the library's data out of reach,
// so that its first access faults and shows the address; and each branch by itself, both ways.
//
// No execution here would show what a jump from elsewhere into the replaced bytes does: see
// ways_into_code.h.
//
// Prints one line of counts a library and in total, and each difference. Exits 0; 1 where there was
// a difference; 77 where processes can't be traced.
#include <sys/mman.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "hook_decoder.h"
#include "hook_relocate.h"
#include "laid_out_library.h"
#include "puppet.h"
#include "ways_into_code.h"

using namespace lastref::hooks;

namespace {

constexpr uint64_t kCompared = 4096;  // of the stack
constexpr int kRounds = 3;
constexpr uint64_t kStatusFlags = 0x8d5, kSignFlag = 0x80;
constexpr unsigned kSaid = 20;  // differences printed of each library

struct Options {
    unsigned every = 1;
    bool spoil = false;
};

struct Counts {
    uint64_t functions = 0, moved = 0, refused = 0, outside = 0, wrong = 0, spoiled = 0, found = 0;
    std::map<std::string, uint64_t> reasons;

    void add(const Counts& other) {
        functions += other.functions, moved += other.moved, refused += other.refused;
        outside += other.outside, wrong += other.wrong;
        spoiled += other.spoiled, found += other.found;
        for (const auto& [reason, count] : other.reasons) reasons[reason] += count;
    }
    void print(const char* name) const {
        std::printf(
            "%s: %lu functions, %lu moved, %lu refused, %lu not run to their end, %lu wrong", name,
            functions, moved, refused, outside, wrong);
        if (spoiled != 0) std::printf(", %lu of %lu spoiled ones found", found, spoiled);
        std::printf("\n");
        for (const auto& [reason, count] : reasons)
            std::printf("    %8lu refused: %s\n", count, reason.c_str());
    }
};

// Whole pages: code has others.
void protect(const auto& range) {
    const uint64_t begin = range.begin & ~4095ull;
    mprotect(reinterpret_cast<void*>(begin), range.begin + range.size - begin, PROT_NONE);
}

struct Function {
    Symbol symbol;
    uint64_t entry;  // in memory
    Relocated moved;
};

class Check {
public:
    Check(Library& library, Options options) : library_(library), options_(options) {}

    Counts run();

private:
    void move_all();
    void spoil(Function& function);
    void compare(const Function& function, int round, Puppet& original, Puppet& moved);
    void compare_branches(const Function& function, Puppet& original, Puppet& moved);
    void compare_from(const Function& function, const user_regs_struct& from, unsigned offset,
                      unsigned moved_offset, Puppet& original, Puppet& moved);
    void compare_memory(const Puppet& original, const Puppet& moved);
    void look_for_jumps();
    user_regs_struct registers(user_regs_struct made, int round) const;
    void wrong(const Function& function, const std::string& what);

    Library& library_;
    const Options options_;
    Counts counts_;
    std::vector<Function> functions_;
    std::vector<bool> differs_;
    std::set<const Function*> outside_;
    const Puppet* blind_ = nullptr;
};

void Check::wrong(const Function& function, const std::string& what) {
    auto seen = differs_.begin() + (&function - functions_.data());
    if (*seen) return;
    *seen = true;
    if (options_.spoil) {
        counts_.found++;
        return;
    }
    if (counts_.wrong++ < kSaid)
        std::printf("  WRONG %s+0x%lx: %s\n", function.symbol.name, function.symbol.address,
                    what.c_str());
}

void Check::move_all() {
    std::map<uint64_t, Symbol> exported;
    library_.elf.for_each_symbol([&](const Symbol& symbol) {
        if (symbol.type == STT_FUNC && library_.elf.is_code(symbol.address))
            exported.emplace(symbol.address, symbol);
        return true;
    });
    unsigned number = 0;
    for (const auto& [address, symbol] : exported) {
        if (number++ % options_.every != 0) continue;
        counts_.functions++;
        Function one{symbol, library_.bias() + address, {}};
        size_t available = 0;
        const uint8_t* code = library_.elf.at(address, available);
        const char* reason =
            relocate_prologue(code, library_.elf.function_size(address, symbol.size), available,
                              library_.elf.preceding(address), one.entry,
                              reinterpret_cast<uint64_t>(library_.near()), one.moved);
        if (reason) {
            counts_.refused++;
            counts_.reasons[reason]++;
            continue;
        }
        counts_.moved++;
        if (options_.spoil) {
            const Relocated before = one.moved;
            spoil(one);
            if (std::memcmp(before.code, one.moved.code, before.size) == 0) continue;
            counts_.spoiled++;
        }
        functions_.push_back(one);
    }
    differs_.resize(functions_.size());
}

// Not the last jump back: any function would show that one.
void Check::spoil(Function& function) {
    for (unsigned at = 0; at + 5 < function.moved.size;) {
        Instruction one;
        if (!decode(function.moved.code + at, function.moved.size - at, one)) return;
        if (one.displacement_size == 4) {
            function.moved.code[at + one.displacement_at] ^= 16;
            return;
        }
        at += one.length;
    }
}

user_regs_struct Check::registers(user_regs_struct made, int round) const {
    unsigned long long* const general[] = {&made.rdi, &made.rsi, &made.rdx, &made.rcx, &made.r8,
                                           &made.r9,  &made.rax, &made.r10, &made.r11, &made.rbx,
                                           &made.rbp, &made.r12, &made.r13, &made.r14, &made.r15};
    uint64_t number = 0;
    for (unsigned long long* one : general) {
        number++;
        const uint64_t pointer = library_.arena() + kArena / 4 + 4104 * number;
        const bool argument = number <= 7;
        *one = argument && round == 1 ? 0 : argument && round == 2 ? ~number : pointer;
    }
    made.rsp = library_.arena() + kArena - 2 * kCompared;
    made.fs_base = library_.arena() + kArena / 2;  // else they would see their own thread's ids
    made.eflags = round == 1 ? made.eflags | kStatusFlags : made.eflags & ~kStatusFlags;
    return made;
}

std::string difference(const user_regs_struct& a, const user_regs_struct& b, bool with_rip) {
    const struct {
        const char* name;
        unsigned long long a, b;
    } all[] = {{"rip", with_rip ? a.rip : 0, with_rip ? b.rip : 0},
               {"rsp", a.rsp, b.rsp},
               {"flags", a.eflags, b.eflags},
               {"rax", a.rax, b.rax},
               {"rbx", a.rbx, b.rbx},
               {"rcx", a.rcx, b.rcx},
               {"rdx", a.rdx, b.rdx},
               {"rsi", a.rsi, b.rsi},
               {"rdi", a.rdi, b.rdi},
               {"rbp", a.rbp, b.rbp},
               {"r8", a.r8, b.r8},
               {"r9", a.r9, b.r9},
               {"r10", a.r10, b.r10},
               {"r11", a.r11, b.r11},
               {"r12", a.r12, b.r12},
               {"r13", a.r13, b.r13},
               {"r14", a.r14, b.r14},
               {"r15", a.r15, b.r15}};
    for (const auto& one : all) {
        if (one.a == one.b) continue;
        char text[100];
        std::snprintf(text, sizeof(text), "%s is 0x%llx, moved 0x%llx", one.name, one.a, one.b);
        return text;
    }
    return {};
}

void Check::compare(const Function& function, int round, Puppet& original, Puppet& moved) {
    compare_from(function, registers(original.first_registers(), round), 0, 0, original, moved);
}

// Each conditional branch by itself, both ways: one of three sets of flags takes it, one does not.
// The Nth moved instruction stands for the Nth original one.
void Check::compare_branches(const Function& function, Puppet& original, Puppet& moved) {
    const auto* code = reinterpret_cast<const uint8_t*>(function.entry);
    for (unsigned at = 0, moved_at = 0; at < function.moved.covered;) {
        Instruction one, other;
        if (!decode(code + at, 15, one) ||
            !decode(function.moved.code + moved_at, function.moved.size - moved_at, other)) {
            return wrong(function, "an instruction can't be decoded");
        }
        for (const uint64_t flags : {uint64_t{0}, kStatusFlags, kSignFlag}) {
            if (one.kind != Instruction::kBranch) break;
            user_regs_struct from = registers(original.first_registers(), 0);
            from.eflags |= flags;
            compare_from(function, from, at, moved_at, original, moved);
        }
        at += one.length;
        moved_at += other.length;
    }
}

void Check::compare_from(const Function& function, const user_regs_struct& registers,
                         unsigned offset, unsigned moved_offset, Puppet& original, Puppet& moved) {
    user_regs_struct from = registers;
    from.rip = function.entry + offset;
    // In its place a jump that is taken leaves, even if only a little way.
    const Puppet::End a = original.run(from, [&](uint64_t before, uint64_t now) {
        Instruction one;
        if (now - function.entry >= function.moved.covered) return true;
        return now != before && (!decode(reinterpret_cast<const uint8_t*>(before), 15, one) ||
                                 now != before + one.length);
    });
    const auto target = reinterpret_cast<uint64_t>(library_.near());
    from.rip = target + moved_offset;
    const Puppet::End b = moved.run(
        from, [&](uint64_t, uint64_t now) { return now - target >= function.moved.size; });
    if (a.why == Puppet::End::kOutside && b.why == a.why) {
        outside_.insert(&function);
        return;
    }
    if (a.why != b.why) return wrong(function, "one of the two has not ended as the other");
    // Other signals show where the instruction is.
    const bool of_memory = a.signal == SIGSEGV || a.signal == SIGBUS;
    if (a.signal != b.signal || (of_memory && a.at_fault != b.at_fault))
        return wrong(function, "another fault, or elsewhere");
    // A call is two instructions when moved: the first has been executed where the second faults.
    if (of_memory && &original == blind_) return;
    const std::string what = difference(a.registers, b.registers, a.why == Puppet::End::kLeft);
    if (!what.empty()) return wrong(function, what);
    if (std::memcmp(a.vectors.xmm_space, b.vectors.xmm_space, sizeof(a.vectors.xmm_space)) != 0)
        return wrong(function, "vector registers");
    if (&original == blind_) return;
    uint8_t stack[2][kCompared];
    const uint64_t low = from.rsp - kCompared + 512;
    if (!original.read(low, stack[0], kCompared) || !moved.read(low, stack[1], kCompared) ||
        std::memcmp(stack[0], stack[1], kCompared) != 0) {
        return wrong(function, "the stack");
    }
}

// The sum of what all functions have written.
void Check::compare_memory(const Puppet& original, const Puppet& moved) {
    constexpr uint64_t kPiece = 1u << 20;
    std::vector<uint8_t> a(kPiece), b(kPiece);
    for (const auto* ranges : {&library_.data, &library_.code}) {
        for (const Library::Range& range : *ranges) {
            for (uint64_t at = 0; at < range.size; at += kPiece) {
                const uint64_t size = std::min(kPiece, range.size - at);
                if (original.read(range.begin + at, a.data(), size) &&
                    moved.read(range.begin + at, b.data(), size) &&
                    std::memcmp(a.data(), b.data(), size) == 0) {
                    continue;
                }
                const auto place = std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin();
                std::printf("  WRONG memory at 0x%lx\n",
                            range.begin + at + static_cast<uint64_t>(place) - library_.bias());
                counts_.wrong++;
                return;
            }
        }
    }
}

void Check::look_for_jumps() {
    ReplacedBytes replaced;
    for (size_t function = 0; function < functions_.size(); ++function) {
        for (unsigned i = 1; i < kJumpSize; ++i)
            replaced.emplace(functions_[function].entry + i, function);
    }
    find_ways_into(replaced, library_, [this](size_t function, const std::string& way) {
        wrong(functions_[function], way);
    });
}

Counts Check::run() {
    move_all();
    auto* target = library_.near();
    Puppet original, moved;
    // For these two the library's data is out of reach, so that each access shows its address.
    for (size_t i = 0; i + 1 < library_.data.size(); ++i) protect(library_.data[i]);
    Puppet blind_original, blind_moved;
    blind_ = &blind_original;
    for (const Function& function : functions_) {
        // Both puppets have the code that is to be run; ours is for the decoder.
        std::memcpy(target, function.moved.code, function.moved.size);
        for (const Puppet* one : {&moved, &blind_moved}) {
            one->write(reinterpret_cast<uint64_t>(target), function.moved.code,
                       function.moved.size);
        }
        for (int round = 0; round < kRounds; ++round) compare(function, round, original, moved);
        compare_branches(function, original, moved);
        compare(function, 0, blind_original, blind_moved);
    }
    counts_.outside = outside_.size();
    if (!options_.spoil) {
        compare_memory(original, moved);
        look_for_jumps();
    }
    for (size_t i = 0; options_.spoil && i < functions_.size(); ++i) {
        if (!differs_[i]) std::printf("  not found: %s\n", functions_[i].symbol.name);
    }
    return counts_;
}

}  // namespace

int main(int count, char** arguments) {
    Options options;
    Counts total;
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    for (int i = 1; i < count; ++i) {
        const std::string argument = arguments[i];
        if (argument == "--spoil") {
            options.spoil = true;
        } else if (argument == "--every" && i + 1 < count) {
            options.every = static_cast<unsigned>(std::max(1, std::atoi(arguments[++i])));
        } else {
            Library library;
            if (!library.open(arguments[i])) {
                std::fprintf(stderr, "relocation: %s is no x86-64 ELF file\n", arguments[i]);
                continue;
            }
            const Counts one = Check(library, options).run();
            one.print(arguments[i]);
            total.add(one);
        }
    }
    total.print("total");
    return total.wrong != 0 || total.found != total.spoiled;
}
