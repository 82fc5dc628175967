// Puts a finished text where the user wants it, whole or not at all.
#ifndef LASTREF_ANALYZER_COMMAND_OUTPUT_FILE_H
#define LASTREF_ANALYZER_COMMAND_OUTPUT_FILE_H

#include <string>
#include <string_view>

namespace lastref {

// Writes to standard output where `path` is empty. A regular file is replaced at once when all is
// written, so that neither a failure nor a reader ever meets half of it; devices and pipes are
// written to directly. Returns why it failed, in words that name the file; empty on success. A
// reader of a pipe that goes away early is no failure.
std::string write_output(const std::string& path, std::string_view text);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_OUTPUT_FILE_H
