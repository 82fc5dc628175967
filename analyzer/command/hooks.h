// `lastref hooks`: the built-in packs, what a rule file would hook in a program, and drafts of
// rules.
#ifndef LASTREF_ANALYZER_COMMAND_HOOKS_H
#define LASTREF_ANALYZER_COMMAND_HOOKS_H

#include <string>
#include <vector>

#include "hook_rules.h"

namespace lastref {

// The packs' names, each with the first line of its file. Returns 0; 2 where there is no shim.
int list_hooks();

// One line for each rule: hooked, and where, or why not. Returns 0; 1 where a rule that is not
// optional finds no function or one that can't be hooked; 2 for errors in the file.
int check_hooks(const std::string& rules, const std::string& program);

// The rules that find no function in the program or in what is linked to it, in the words of a rule
// file's error. What is optional, or about other libraries, is none.
std::vector<std::string> missing_functions(const hooks::RuleSet& rules, const std::string& program);

// Rules, on stdout, for what looks like reference counting in a library's symbols; for a user to
// complete. Returns 0; 2 where the file can't be read.
int draft_hooks(const std::string& library);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_HOOKS_H
