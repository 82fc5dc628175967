// One type's memory as a tree from the outermost frame inwards, for flame graphs: the same function
// called from the same place is one node, and what is too small to see is left out.
#ifndef LASTREF_ANALYZER_REPORT_USAGE_TREE_H
#define LASTREF_ANALYZER_REPORT_USAGE_TREE_H

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "analyze/usage_report.h"

namespace lastref {

struct UsageTree {
    uint32_t frame = 0;                // index into UsageReport::frames; of the root nothing
    std::array<double, 3> bytes = {};  // live at the end, at the peak, allocated in all
    std::map<std::string, std::unique_ptr<UsageTree>> inner;
};

// `smallest`: the share of the whole below which, in all three amounts, a node is left out.
UsageTree usage_tree(const UsageReport& usage, uint32_t type, double smallest);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_USAGE_TREE_H
