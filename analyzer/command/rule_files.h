// Rule packs and files as the command line names them: where they are, and what is wrong in them.
#ifndef LASTREF_ANALYZER_COMMAND_RULE_FILES_H
#define LASTREF_ANALYZER_COMMAND_RULE_FILES_H

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "hook_rules.h"

namespace lastref {

struct RuleFiles {
    std::unique_ptr<hooks::RuleSet> rules;
    std::vector<std::string> paths;    // absolute
    std::vector<std::string> errors;   // 'FILE:LINE:COLUMN: expected ..., found ...'
    std::vector<std::string> missing;  // what can't be read at all, and why
    std::deque<std::string> kept;      // texts and paths that `rules` points into
};

// 'FILE:LINE:COLUMN: expected ..., found ...'
std::string error_text(const hooks::RuleError& error);

// The folder of the built-in packs, beside the shim; empty where there is no shim.
std::string pack_folder();

// Each name is a pack's, or a path (it holds a slash or ends in .rules).
RuleFiles read_rule_files(const std::vector<std::string>& names);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_RULE_FILES_H
