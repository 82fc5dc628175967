#include "command/run_arguments.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace lastref {

RunArguments split_run_arguments(const std::vector<std::string>& arguments) {
    // The options whose value is an argument of its own; '--level=simple' and '-oFILE' are one.
    static constexpr std::array<std::string_view, 5> kWithValue = {"--level", "--hooks", "--output",
                                                                   "-o", "--ring"};
    RunArguments split;
    auto next = arguments.begin();
    while (next != arguments.end() && next->starts_with('-') && *next != "-" && *next != "--") {
        bool has_value = std::find(kWithValue.begin(), kWithValue.end(), *next) != kWithValue.end();
        split.own.push_back(*next++);
        if (has_value && next != arguments.end()) split.own.push_back(*next++);
    }
    if (next != arguments.end() && *next == "--") ++next;
    split.command.assign(next, arguments.end());
    return split;
}

}  // namespace lastref
