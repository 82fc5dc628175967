// Where the shim is that belongs to this command.
#ifndef LASTREF_ANALYZER_COMMAND_SHIM_LOCATION_H
#define LASTREF_ANALYZER_COMMAND_SHIM_LOCATION_H

#include <string>

namespace lastref {

struct ShimLocation {
    std::string path;    // absolute, fit for LD_PRELOAD; empty where there is none
    std::string reason;  // why not
};

// LASTREF_SHIM where set, else beside the running command, in the build tree, or in the install
// tree.
ShimLocation locate_shim();

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_SHIM_LOCATION_H
