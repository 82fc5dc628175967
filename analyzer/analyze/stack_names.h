// Stack ids of a trace to source-level stacks, lastref's own frames left out.
//
// Symbols come through FrameSource, so that analysis can be tested, and fuzzed, without any ELF
// file. Stacks are resolved when a finding needs them and kept.
#ifndef LASTREF_ANALYZER_ANALYZE_STACK_NAMES_H
#define LASTREF_ANALYZER_ANALYZE_STACK_NAMES_H

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "analyze/findings.h"
#include "read/stack_nodes.h"

namespace lastref {

// What Symbolizer does, as an interface.
class FrameSource {
public:
    virtual ~FrameSource() = default;
    virtual const std::vector<Frame>& frames(uint64_t pc, uint32_t epoch) = 0;
    virtual bool is_own(uint64_t pc, uint32_t epoch) = 0;
};

class StackNames {
public:
    // Both must outlive this.
    StackNames(StackNodes& nodes, FrameSource& source) : nodes_(nodes), source_(source) {}

    // Empty for id 0 and for stacks that the trace does not hold. The reference stays valid.
    const Stack& stack(uint32_t id);

    // True if the stack's outermost frame was recorded.
    bool reaches_outermost(uint32_t id);

    // Calls `visit(const Frame&)` from the innermost frame outwards until it returns false,
    // without keeping anything: for looking at very many stacks.
    template <typename Visit>
    void visit(uint32_t id, Visit&& visit) {
        this->visit(id, visit, [](uint32_t) { return true; });
    }

    // As above, and calls `enter(uint32_t)` with the index of a trace's stack node before the
    // frames that it stands for, which are the same wherever it is entered; ends where that
    // returns false.
    template <typename Visit, typename Enter>
    void visit(uint32_t id, Visit&& visit, Enter&& enter) {
        bool innermost = true;
        nodes_.walk(id, [&](const StackNode& node) {
            if (!innermost && !enter(nodes_.index_of(node))) return false;
            // Not only innermost: dlopen and a thread's start pass through lastref as well.
            if (source_.is_own(node.pc, node.epoch)) return true;
            for (const Frame& frame : source_.frames(node.pc, node.epoch)) {
                if (innermost && is_hook_header(frame)) continue;
                innermost = false;
                if (!visit(frame)) return false;
            }
            return true;
        });
    }

private:
    // The functions of lastref/lastref.h, compiled into the program.
    static bool is_hook_header(const Frame& frame);

    StackNodes& nodes_;
    FrameSource& source_;
    std::unordered_map<const Frame*, std::shared_ptr<const Frame>> shared_;  // by source_'s frame
    std::unordered_map<uint32_t, Stack> stacks_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_STACK_NAMES_H
