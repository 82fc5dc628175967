// Messages of the commands on stderr. Where it is closed or full they are lost, and nothing else
// happens: no message may cost a command its work or its exit status.
#ifndef LASTREF_ANALYZER_COMMAND_SAY_H
#define LASTREF_ANALYZER_COMMAND_SAY_H

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace lastref {

// In one write; the format ends the line.
template <typename... Arguments>
void say(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    const std::string text = fmt::format(format, std::forward<Arguments>(arguments)...);
    std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_SAY_H
