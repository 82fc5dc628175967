// A folder for temporary files that goes when its owner's work has ended, by whatever signal.
#ifndef LASTREF_ANALYZER_COMMAND_TEMPORARY_FOLDER_H
#define LASTREF_ANALYZER_COMMAND_TEMPORARY_FOLDER_H

#include <functional>
#include <string>

namespace lastref {

// Makes a folder of mode 0700 in TMPDIR, else /tmp, runs `work` with its path in a child process,
// passing signals on to that, and removes the folder when the child has ended. Returns what `work`
// did, 128 + N where signal N ended the child, or `failed` where the folder can't be made (said on
// stderr). If this process is killed so is the child, but the folder stays.
int in_temporary_folder(const std::function<int(const std::string&)>& work, int failed);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_TEMPORARY_FOLDER_H
