// `lastref help`, and the manual pages that are made of the same options, descriptions and examples
// as --help.
#ifndef LASTREF_ANALYZER_COMMAND_MAN_PAGE_H
#define LASTREF_ANALYZER_COMMAND_MAN_PAGE_H

#include <string>

namespace CLI {
class App;
}

namespace lastref {

// Parsed into by the verb's options, so it stays where it is.
struct HelpCommand {
    CLI::App* app = nullptr;
    std::string verb;      // "": lastref's own
    bool as_page = false;  // print the page in man's own language, man(7): for the build
};

// Adds the verb `help`, which knows the verbs that were added before.
void add_help(CLI::App& app, HelpCommand& help);

// Shows the installed page by man(1) on a terminal; otherwise, and where there is none, the text
// of --help.
int help_command(const CLI::App& app, const HelpCommand& help);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_MAN_PAGE_H
