#include "analyze/stack_names.h"

namespace lastref {

const Stack& StackNames::stack(uint32_t id) {
    const auto inserted = stacks_.try_emplace(id);
    Stack& stack = inserted.first->second;
    if (inserted.second) {
        visit(id, [this, &stack](const Frame& frame) {
            std::shared_ptr<const Frame>& shared = shared_[&frame];
            if (shared == nullptr) shared = std::make_shared<const Frame>(frame);
            stack.push_back(shared);
            return true;
        });
    }
    return stack;
}

bool StackNames::reaches_outermost(uint32_t id) {
    return id != 0 &&
           nodes_.walk(id, [](const StackNode&) { return true; }) == trace::kStackComplete;
}

bool StackNames::is_hook_header(const Frame& frame) {
    return frame.function.starts_with("lastref_") && frame.file.ends_with("lastref.h");
}

}  // namespace lastref
