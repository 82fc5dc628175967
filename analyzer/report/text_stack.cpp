#include "report/text_stack.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "report/units.h"

namespace lastref {
namespace {

constexpr size_t kFunctionColumn = 48;
constexpr size_t kLongFunction = 80;  // from here on template arguments are left out

// True where the source shows nothing that the program's author wrote.
bool is_plumbing(const Frame& frame) {
    static constexpr std::array<std::string_view, 9> kFunctions = {"_start",
                                                                   "__libc_start_main",
                                                                   "__libc_start_call_main",
                                                                   "__libc_start_main_impl",
                                                                   "start_thread",
                                                                   "clone",
                                                                   "clone3",
                                                                   "__clone",
                                                                   "__clone3"};
    static constexpr std::array<std::string_view, 6> kPrefixes = {
        "std::", "__gnu_cxx::", "operator new", "operator delete", "_dl_", "void std::"};
    const std::string& name = frame.function;
    if (std::find(kFunctions.begin(), kFunctions.end(), name) != kFunctions.end()) return true;
    if (std::any_of(kPrefixes.begin(), kPrefixes.end(),
                    [&](std::string_view prefix) { return name.starts_with(prefix); }))
        return true;
    // Code without a name is of interest only where it is the program's own.
    std::string_view module = base_name(frame.module);
    return name.empty() && (module.starts_with("libc.so") || module.starts_with("libstdc++.so") ||
                            module.starts_with("ld-linux"));
}

std::string location(const Frame& frame) {
    if (!frame.file.empty()) {
        std::string file = printable(base_name(frame.file));
        return frame.line ? fmt::format("{}:{}", file, frame.line) : file;
    }
    if (!frame.module.empty())
        return fmt::format("{}+{:#x}", printable(base_name(frame.module)), frame.offset);
    return fmt::format("{:#x}", frame.offset);
}

// The '(' that the last ')' of a function's name belongs to; npos where there is none.
size_t parameters_begin(std::string_view name, size_t close) {
    int depth = 0;
    for (size_t i = close + 1; i-- > 0;) {
        if (name[i] == ')') ++depth;
        if (name[i] == '(' && --depth == 0) return i;
    }
    return std::string_view::npos;
}

std::string without_parameters(std::string_view name) {
    for (std::string_view suffix : {" const", " volatile", " &&", " &", " noexcept"})
        if (name.ends_with(suffix)) name.remove_suffix(suffix.size());
    if (!name.ends_with(')')) return std::string(name);
    size_t begin = parameters_begin(name, name.size() - 1);
    if (begin == std::string_view::npos || begin == 0) return std::string(name);
    std::string_view before = name.substr(0, begin);
    if (before.ends_with("operator")) return std::string(name);  // the name of operator()
    return std::string(before);
}

std::string without_template_arguments(std::string_view name) {
    std::string result;
    int depth = 0;
    for (size_t i = 0; i < name.size(); ++i) {
        // The signs of operator<, operator->, operator<=> and their like are not brackets.
        if (depth == 0 && name.substr(i).starts_with("operator")) {
            size_t end = name.find_first_not_of("<>=-", i + 8);
            if (end == std::string_view::npos) end = name.size();
            result += name.substr(i, end - i);
            i = end - 1;
            continue;
        }
        if (name[i] == '<' && depth++ == 0) result += "<...>";
        if (depth == 0) result += name[i];
        if (name[i] == '>' && depth > 0 && name[i - 1] != '-') --depth;
    }
    return result;
}

// Function templates are named with their return type: 'void run<int>'.
std::string without_return_type(const std::string& name) {
    if (name.find("operator") != std::string::npos) return name;  // may hold spaces and brackets
    int depth = 0;
    size_t begin = 0;
    for (size_t i = 0; i < name.size(); ++i) {
        if (std::string_view("<({[").find(name[i]) != std::string_view::npos) ++depth;
        if (std::string_view(">)}]").find(name[i]) != std::string_view::npos) --depth;
        if (name[i] == ' ' && depth == 0) begin = i + 1;
    }
    return begin < name.size() ? name.substr(begin) : name;
}

}  // namespace

std::string short_function(std::string_view function) {
    if (function.empty()) return "??";
    std::string name = without_return_type(printable(without_parameters(function)));
    return name.size() > kLongFunction ? without_template_arguments(name) : name;
}

std::string frame_line(const Frame& frame) {
    return fmt::format("{:<{}}  {}{}", short_function(frame.function), kFunctionColumn,
                       location(frame), frame.inlined ? "  (inlined)" : "");
}

std::vector<std::string> stack_lines(const Stack& stack, size_t most) {
    std::vector<const Frame*> shown;
    for (const Frame& frame : stack)
        if (!is_plumbing(frame)) shown.push_back(&frame);
    if (shown.empty())
        for (const Frame& frame : stack) shown.push_back(&frame);

    // One line more is no shorter than saying that there is one more.
    size_t hidden = shown.size() > most + 1 ? shown.size() - most : 0;
    shown.resize(shown.size() - hidden);
    std::vector<std::string> lines;
    for (const Frame* frame : shown) lines.push_back(frame_line(*frame));
    if (hidden > 0) lines.push_back(fmt::format("({})", counted(hidden, "more frame")));
    if (stack.empty()) lines.push_back("(no stack was recorded)");
    return lines;
}

}  // namespace lastref
