// Where the symbols of a stripped file may lie: in a file of its own, which its build-id or the
// link that stripping has left names, as debuggers know it. Shared by the shim and the command.
#ifndef LASTREF_SHIM_HOOK_DEBUG_FILE_H
#define LASTREF_SHIM_HOOK_DEBUG_FILE_H

#include "hook_elf.h"
#include "text.h"

namespace lastref::hooks {

inline constexpr unsigned kDebugFilePlaces = 4;
inline constexpr size_t kMostDebugPath = 4096;

// Adds the path of place `number`, for the file at `path`, to an empty text. False where there is
// none.
bool debug_file_path(const ElfImage& elf, const char* path, unsigned number, Text& to);

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOK_DEBUG_FILE_H
