// Where the arguments of `lastref run` end and those of the program begin.
#ifndef LASTREF_ANALYZER_COMMAND_RUN_ARGUMENTS_H
#define LASTREF_ANALYZER_COMMAND_RUN_ARGUMENTS_H

#include <string>
#include <vector>

namespace lastref {

// `lastref run` ends its own arguments at the program's name or at '--'; everything from there on
// is the program's, options too.
struct RunArguments {
    std::vector<std::string> own;
    std::vector<std::string> command;  // the program and its arguments
};

// `arguments`: what stands behind 'run'.
RunArguments split_run_arguments(const std::vector<std::string>& arguments);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_RUN_ARGUMENTS_H
