// Files that belong to this command: beside it in the build tree, below its prefix when installed.
#ifndef LASTREF_ANALYZER_COMMAND_INSTALLED_FILE_H
#define LASTREF_ANALYZER_COMMAND_INSTALLED_FILE_H

#include <string>

namespace lastref {

// The path of `name` beside the running command or in `folder`, which is relative to the command's
// own; empty where it is in neither.
std::string find_installed_file(const std::string& name, const std::string& folder);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_INSTALLED_FILE_H
