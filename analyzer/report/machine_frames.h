// A stack's source frames by machine frame: formats that know addresses write inlined calls as
// lines of the frame that they were inlined into.
#ifndef LASTREF_ANALYZER_REPORT_MACHINE_FRAMES_H
#define LASTREF_ANALYZER_REPORT_MACHINE_FRAMES_H

#include <cstddef>
#include <span>
#include <vector>

namespace lastref {

// Calls `visit(std::span<const Item>)` with each machine frame of a stack, from the innermost
// outwards, its inlined calls first. `is_inlined(item)` returns Frame::inlined.
template <typename Item, typename IsInlined, typename Visit>
void for_each_machine_frame(const std::vector<Item>& innermost_first, IsInlined&& is_inlined,
                            Visit&& visit) {
    size_t begin = 0;
    for (size_t at = 0; at < innermost_first.size(); ++at) {
        const bool last = at + 1 == innermost_first.size();
        if (is_inlined(innermost_first[at]) && !last) continue;
        visit(std::span<const Item>(innermost_first).subspan(begin, at + 1 - begin));
        begin = at + 1;
    }
}

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_MACHINE_FRAMES_H
