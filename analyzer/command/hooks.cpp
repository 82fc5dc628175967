#include "command/hooks.h"

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "command/exit_status.h"
#include "command/output_file.h"
#include "command/program_file.h"
#include "command/rule_files.h"
#include "command/say.h"
#include "hook_debug_file.h"
#include "hook_decoder.h"
#include "hook_elf.h"
#include "hook_relocate.h"

namespace lastref {
namespace {

namespace fs = std::filesystem;
using namespace hooks;

int refuse(const std::string& reason) {
    return fail(kUsage, reason);
}

// Writes what the command found; `status` where all could be written.
int answer(const std::string& text, int status) {
    const std::string failure = write_output("", text);
    return failure.empty() ? status : refuse(failure);
}

struct LibraryFile {
    std::string path, soname;
    std::vector<char> bytes, symbol_bytes;
    ElfImage elf;
    bool linked = true;  // the loader brings it with the program

    bool open(const std::string& file) {
        path = file;
        if (!read(file, bytes, elf)) return false;
        soname = *elf.soname() ? elf.soname() : fs::path(file).filename().string();
        find_stripped_symbols();
        return true;
    }

private:
    static bool read(const std::string& file, std::vector<char>& bytes, ElfImage& elf) {
        std::ifstream in(file, std::ios::binary);
        bytes.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
        return elf.open(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    }
    void find_stripped_symbols() {
        std::vector<char> place(kMostDebugPath);
        for (unsigned i = 0; i < kDebugFilePlaces && !elf.has_symbol_table(); ++i) {
            Text text(place.data(), place.size());
            ElfImage symbols;
            if (debug_file_path(elf, path.c_str(), i, text) &&
                read(text.c_str(), symbol_bytes, symbols))
                elf.take_symbols(symbols);
        }
    }
};

std::string demangled(const char* name) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(
        abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
    return status == 0 && text ? text.get() : name;
}

// What the loader would load with the program, as it says itself.
std::vector<std::string> linked_libraries(const std::string& program) {
    std::string quoted = "'";
    for (const char c : program) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    const std::string command = "/lib64/ld-linux-x86-64.so.2 --list " + quoted + "' 2>/dev/null";
    std::vector<std::string> paths;
    FILE* pipe = ::popen(command.c_str(), "r");
    if (!pipe) return paths;
    char line[4096];
    while (std::fgets(line, sizeof(line), pipe)) {
        const std::string text = line;
        const size_t begin = text.find('/');
        const size_t end = text.rfind(" (0x");
        if (begin != std::string::npos && end != std::string::npos && begin < end)
            paths.push_back(text.substr(begin, end - begin));
    }
    ::pclose(pipe);
    for (std::string& path : paths) {
        if (const size_t arrow = path.find("=> "); arrow != std::string::npos)
            path = path.substr(arrow + 3);
    }
    return paths;
}

class Check {
public:
    Check(const RuleSet& rules, std::string program)
        : rules_(rules), program_(std::move(program)) {}

    int run() {
        load_linked_libraries();
        load_later_libraries();
        for (uint32_t i = 0; i < rules_.rule_count; ++i) check(rules_.rules[i]);
        return answer(text_, failed_ ? 1 : 0);
    }

    std::vector<std::string> missing() {
        std::vector<std::string> errors;
        load_linked_libraries();
        for (const Rule& rule : std::span(rules_.rules, rules_.rule_count)) {
            if (rule.optional || rule.target == Target::kPointer || rule.target == Target::kOffset)
                continue;
            for (const auto& library : libraries_) {
                if (is_of(rule, *library) && functions(rule, *library).empty())
                    errors.push_back(missing_in(rule, *library));
            }
        }
        return errors;
    }

private:
    void load_linked_libraries() {
        add(program_, "<exe>", true);
        add(program_, "", true);  // it may be a library itself
        for (const std::string& path : linked_libraries(program_)) add(path, "", true);
    }
    // What the program may load later: libraries of the usual folders.
    void load_later_libraries() {
        for (const char* folder : {"/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/local/lib"}) {
            std::error_code error;
            for (const auto& entry : fs::directory_iterator(folder, error)) {
                const std::string name = entry.path().filename().string();
                if (wanted(name) && !known(name)) add(entry.path().string(), "", false);
            }
        }
    }
    bool wanted(const std::string& soname) const {
        return std::any_of(
            rules_.libraries, rules_.libraries + rules_.library_count,
            [&](const auto& one) { return matches_any(one.patterns, soname.c_str()); });
    }
    bool known(const std::string& soname) const {
        return std::any_of(libraries_.begin(), libraries_.end(),
                           [&](const auto& one) { return one->soname == soname; });
    }
    void add(const std::string& path, const std::string& soname, bool linked) {
        auto library = std::make_unique<LibraryFile>();
        if (!library->open(path)) return;
        if (!soname.empty()) library->soname = soname;
        library->linked = linked;
        if (wanted(library->soname)) libraries_.push_back(std::move(library));
    }

    bool is_of(const Rule& rule, const LibraryFile& library) const {
        return matches_any(rules_.libraries[rule.library].patterns, library.soname.c_str());
    }
    std::string missing_in(const Rule& rule, const LibraryFile& library) const {
        const std::string expected = "a function of " + library.soname;
        return error_text(
            {rules_.files[rule.file], rule.line, rule.column, expected.c_str(), rule.function});
    }

    void say(const char* verdict, const std::string& function, const std::string& rest) {
        text_ += fmt::format("{:<9} {:<36} {}\n", verdict, function, rest);
    }
    std::string why_not(const LibraryFile& library, const Symbol& symbol) const {
        if (symbol.type == STT_GNU_IFUNC) return "it is chosen at run time (IFUNC)";
        size_t available = 0;
        const uint8_t* code = library.elf.at(symbol.address, available);
        if (!code || !library.elf.is_code(symbol.address)) return "it is no code of its file";
        Relocated moved;
        const char* reason =
            relocate_prologue(code, library.elf.function_size(symbol.address, symbol.size),
                              available, library.elf.preceding(symbol.address), symbol.address,
                              symbol.address + (1u << 24), moved);
        return reason ? reason : "";
    }
    static bool is_about(const ElfImage& elf, const Rule& rule, const Symbol& symbol) {
        if (rule.target == Target::kDemangled)
            return symbol.type == STT_FUNC &&
                   matches(rule.function, demangled(symbol.name).c_str());
        return elf.is_called(symbol, rule.function.text, rule.function.size) &&
               (rule.target == Target::kSlot || symbol.type != STT_OBJECT);
    }
    // Each address once.
    static std::vector<Symbol> functions(const Rule& rule, const LibraryFile& library) {
        std::set<uint64_t> seen;
        std::vector<Symbol> found;
        library.elf.for_each_symbol([&](const Symbol& symbol) {
            if (is_about(library.elf, rule, symbol) && seen.insert(symbol.address).second)
                found.push_back(symbol);
            return true;
        });
        return found;
    }
    void check(const Rule& rule) {
        const std::string patterns(rules_.libraries[rule.library].patterns.text,
                                   rules_.libraries[rule.library].patterns.size);
        const std::string name = fmt::format(
            "{}", std::string(rule.function.text ? rule.function.text : "", rule.function.size));
        if (rule.target == Target::kPointer)
            return say("run time", "(a function pointer)", patterns);
        bool any = false;
        for (const auto& library : libraries_) {
            if (!is_of(rule, *library)) continue;
            any = true;
            check_in(rule, name, *library);
        }
        if (!any) say("absent", name, patterns + ": no such library here");
    }
    void check_offset(const Rule& rule, const std::string& where, const LibraryFile& library) {
        const std::string name = fmt::format("+{:#x}", rule.offset);
        std::string reason = "the file has another build-id";
        if (library.elf.has_build_id(rule.build_id.text, rule.build_id.size))
            reason = why_not(library, {"", rule.offset, 0, STT_FUNC, 0});
        if (reason.empty()) return say("ok", name, where);
        failed_ |= !rule.optional;
        say("refused", name, where + ": " + reason);
    }
    void check_in(const Rule& rule, const std::string& name, const LibraryFile& library) {
        const std::string where = library.soname + (library.linked ? "" : " (if it is loaded)");
        if (rule.target == Target::kOffset) return check_offset(rule, where, library);
        const std::vector<Symbol> found = functions(rule, library);
        for (const Symbol& symbol : found) {
            const std::string reason = rule.target == Target::kSlot ? "" : why_not(library, symbol);
            if (reason.empty()) {
                say("ok", symbol.name, where);
            } else {
                failed_ = true;
                say("refused", symbol.name, where + ": " + reason);
            }
        }
        if (!found.empty()) return;
        failed_ |= !rule.optional;
        say(rule.optional ? "optional" : "missing", name,
            where + ": there is no such function" +
                (library.elf.has_symbol_table() ? ""
                                                : ", and no symbol table but the exported one"));
        if (!rule.optional) fmt::print(stderr, "lastref: {}\n", missing_in(rule, library));
    }

    const RuleSet& rules_;
    const std::string program_;
    std::vector<std::unique_ptr<LibraryFile>> libraries_;
    std::string text_;
    bool failed_ = false;
};

struct Pair {
    const char* up;
    const char* down;
};
constexpr Pair kPairs[] = {{"_ref", "_unref"},       {"_retain", "_release"},
                           {"_up_ref", "_free"},     {"_get", "_put"},
                           {"_acquire", "_release"}, {"_addref", "_release"},
                           {"_incref", "_decref"},   {"_inc_ref", "_dec_ref"}};
constexpr const char* kMakers[] = {"_new", "_create", "_alloc", "_init"};

}  // namespace

int list_hooks() {
    const std::string folder = pack_folder();
    std::error_code error;
    std::vector<fs::path> packs;
    for (const auto& entry : fs::directory_iterator(folder, error))
        if (entry.path().extension() == ".rules") packs.push_back(entry.path());
    if (packs.empty()) return refuse("no packs in " + folder + ": set LASTREF_SHIM to the shim");
    std::sort(packs.begin(), packs.end());
    std::string text;
    for (const fs::path& pack : packs) {
        std::ifstream in(pack);
        std::string line;
        std::getline(in, line);
        // Its comment's first sentence.
        text += fmt::format("{:<10} {}\n", pack.stem().string(),
                            line.starts_with("# ") ? line.substr(2, line.find(". ") - 1) : "");
    }
    return answer(text, 0);
}

int check_hooks(const std::string& rules, const std::string& program) {
    const RuleFiles files = read_rule_files({rules});
    for (const std::string& missing : files.missing) return refuse(missing);
    for (const std::string& error : files.errors) say("lastref: {}\n", error);
    const auto path = find_program(program);
    if (!path) return refuse(program + ": not found");
    const int status = Check(*files.rules, *path).run();
    return files.errors.empty() ? status : kUsage;
}

std::vector<std::string> missing_functions(const RuleSet& rules, const std::string& program) {
    return Check(rules, program).missing();
}

int draft_hooks(const std::string& path) {
    LibraryFile library;
    if (!library.open(path)) return refuse(path + ": no x86-64 ELF file");
    std::set<std::string> names;
    library.elf.for_each_symbol([&](const Symbol& symbol) {
        if (symbol.type == STT_FUNC) names.insert(symbol.name);
        return true;
    });
    std::string text = fmt::format(
        "# Drafted from the names in {}: check each line, and add where the counter\n"
        "# lies (rc=u32@OFFSET) if you know.\nlib {}\n",
        library.soname, library.soname);
    size_t found = 0;
    for (const std::string& name : names) {
        for (const Pair& pair : kPairs) {
            if (!name.ends_with(pair.up)) continue;
            const std::string stem = name.substr(0, name.size() - std::string(pair.up).size());
            if (stem.empty() || !names.contains(stem + pair.down)) continue;
            ++found;
            text += fmt::format("\nobj {}\n", stem);
            bool first = true;
            for (const char* maker : kMakers) {
                for (auto at = names.lower_bound(stem + maker);
                     at != names.end() && at->starts_with(stem + maker); ++at) {
                    text += fmt::format("on {} {} {} id={}\n", *at,
                                        std::string(maker) == "_init" ? "in" : "out",
                                        first ? "create " : "create?",
                                        std::string(maker) == "_init" ? "a0" : "ret");
                    first = false;
                }
            }
            text += fmt::format("on {} in retain id=a0\non {} in release id=a0\n", name,
                                stem + pair.down);
        }
    }
    if (found == 0) text += "# No pair of names looks like reference counting.\n";
    return answer(text, 0);
}

}  // namespace lastref
