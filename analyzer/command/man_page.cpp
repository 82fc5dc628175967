#include "command/man_page.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <sstream>
#include <string_view>
#include <vector>

#include "command/exit_status.h"
#include "command/installed_file.h"
#include "command/output_file.h"
#include "examples.h"

namespace lastref {
namespace {

std::string page_name(const std::string& verb) {
    return verb.empty() ? "lastref" : "lastref-" + verb;
}

// One line of text: nothing in it is a request or an escape.
std::string escaped(std::string_view text) {
    std::string line;
    for (const char c : text) {
        if (c == '\\')
            line += "\\e";
        else if (c == '-')
            line += "\\-";
        else
            line += c;
    }
    return line.starts_with('.') || line.starts_with('\'') ? "\\&" + line : line;
}

void section(std::ostream& page, std::string_view title) {
    page << ".SH " << title << '\n';
}

void entry(std::ostream& page, const std::string& name, const std::string& description) {
    page << ".TP\n\\fB" << escaped(name) << "\\fR\n" << escaped(description) << '\n';
}

// Not App::help(), which shows the verb that was parsed.
std::string help_of(const CLI::App& app, const std::string& verb) {
    const CLI::App& shown = verb.empty() ? app : *app.get_subcommand(verb);
    return shown.get_formatter()->make_help(
        &shown, verb.empty() ? app.get_name() : app.get_name() + ' ' + verb,
        CLI::AppFormatMode::Normal);
}

// As the help's own line, which knows what follows the options of run and gate.
std::string usage(const CLI::App& app, const std::string& verb) {
    constexpr std::string_view kUsageLine = "Usage: ";
    std::istringstream help(help_of(app, verb));
    for (std::string line; std::getline(help, line);) {
        if (line.starts_with(kUsageLine)) return line.substr(kUsageLine.size());
    }
    return page_name(verb);
}

// The footer of the help: examples, then remarks, then exit statuses.
void write_footer(std::ostream& page, const std::string& footer) {
    std::istringstream lines(footer);
    bool examples = false, noted = false;
    for (std::string line; std::getline(lines, line);) {
        if (line == "Examples:") {
            section(page, "EXAMPLES");
            page << ".nf\n";
            examples = true;
            continue;
        }
        if (examples && !line.empty()) {
            page << escaped(line) << '\n';
            continue;
        }
        if (examples) page << ".fi\n";
        examples = false;
        if (line.empty()) continue;
        constexpr std::string_view kStatus = "Exit status: ";
        if (line.starts_with(kStatus)) {
            section(page, "EXIT STATUS");
            line = line.substr(kStatus.size());
            noted = true;
        } else if (!noted) {
            section(page, "NOTES");
            noted = true;
        }
        page << escaped(line) << '\n';
    }
    if (examples) page << ".fi\n";
}

std::string man_page(const CLI::App& app, const std::string& verb) {
    const CLI::App& shown = verb.empty() ? app : *app.get_subcommand(verb);
    const std::string name = page_name(verb);
    std::ostringstream page;
    page << ".TH " << name << " 1 \"\" \"lastref " LASTREF_VERSION "\"\n";
    section(page, "NAME");
    page << escaped(name) << " \\- " << escaped(shown.get_description()) << '\n';
    section(page, "SYNOPSIS");
    page << escaped(usage(app, verb)) << '\n';
    section(page, "OPTIONS");
    for (const CLI::Option* option : shown.get_options()) {
        if (option->get_group().empty()) continue;  // hidden
        std::string names = option->get_name(true, true);
        if (const size_t comma = names.find(','); comma != std::string::npos)
            names.insert(comma + 1, " ");
        if (option->get_items_expected_max() != 0 && !option->get_positional())
            names += ' ' + option->get_type_name();
        entry(page, names, option->get_description());
    }
    const auto commands = shown.get_subcommands(nullptr);
    if (!commands.empty()) section(page, "COMMANDS");
    for (const CLI::App* command : commands) {
        const std::string own = command->get_name();
        entry(page, verb.empty() ? "lastref-" + own + "(1)" : own, command->get_description());
    }
    write_footer(page, shown.get_footer());
    section(page, "SEE ALSO");
    page << (verb.empty() ? "man(1)" : "lastref(1)") << '\n';
    return page.str();
}

}  // namespace

void add_help(CLI::App& app, HelpCommand& help) {
    std::vector<std::string> verbs;
    for (const CLI::App* verb : app.get_subcommands(nullptr)) verbs.push_back(verb->get_name());
    help.app = app.add_subcommand("help", "Show the manual of a command");
    help.app->add_option("COMMAND", help.verb, "Command (default: lastref itself)")
        ->check(CLI::IsMember(verbs));
    help.app->add_flag("--man", help.as_page)->group("");
    help.app->footer(kHelpExamples);
}

int help_command(const CLI::App& app, const HelpCommand& help) {
    const std::string page = find_installed_file(page_name(help.verb) + ".1", "../share/man/man1");
    if (!help.as_page && isatty(STDOUT_FILENO) && !page.empty()) {
        execlp("man", "man", page.c_str(), nullptr);
        // No man(1) here: the text is the same.
    }
    const std::string failure =
        write_output("", help.as_page ? man_page(app, help.verb) : help_of(app, help.verb));
    return failure.empty() ? 0 : fail(kUsage, failure);
}

}  // namespace lastref
