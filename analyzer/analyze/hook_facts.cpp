#include "analyze/hook_facts.h"

#include "read/trace_file.h"

namespace lastref {

HookFacts::HookFacts(const std::vector<HookRecord>& records) {
    for (const HookRecord& record : records) {
        Type& type = types_[record.subject];
        switch (record.fact) {
            case trace::HookFact::kType:
                type.hooked = true;
                type.has_counter |= (record.value & trace::kCountKnown) != 0;
                type.implicit |= (record.value & trace::kImplicit) != 0;
                break;
            case trace::HookFact::kPartial:
                type.hooked = true;
                type.partial = record.more;
                break;
            case trace::HookFact::kCounterFollowed:
                type.counter_followed = true;
                break;
            case trace::HookFact::kNoCounter:
                type.counter_refused = "read " + std::to_string(record.value) + ": " + record.more;
                break;
            default:
                break;
        }
    }
    std::erase_if(types_, [](const auto& type) { return !type.second.hooked; });
    for (auto& [name, type] : types_) {
        if (type.implicit && type.has_counter && !type.counter_holds() && type.partial.empty())
            type.partial = "not all creations are seen, nor its counter";
    }
}

}  // namespace lastref
