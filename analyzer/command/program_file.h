// Finds the program that `lastref run` is to start, and says why it could not be traced.
#ifndef LASTREF_ANALYZER_COMMAND_PROGRAM_FILE_H
#define LASTREF_ANALYZER_COMMAND_PROGRAM_FILE_H

#include <optional>
#include <string>

namespace lastref {

// The file that a shell would run for this name: itself where it holds a slash, else the first
// executable on PATH, else the first file of that name there (for the message that it is not
// executable). Nothing where there is none.
std::optional<std::string> find_program(const std::string& name);

// Why the dynamic loader would not load the shim into this program, or why it can't run at all;
// empty where it can. Scripts are judged by their interpreter.
std::string why_not_traceable(const std::string& path);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_PROGRAM_FILE_H
