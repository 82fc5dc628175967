#include "analyze/hook_facts.h"

#include "read/trace_file.h"

namespace lastref {

HookFacts::HookFacts(const std::vector<HookRecord>& records) {
    for (const HookRecord& record : records) {
        if (record.fact == trace::HookFact::kType) {
            types_.try_emplace(record.subject);
        } else if (record.fact == trace::HookFact::kPartial) {
            types_[record.subject] = record.more;
        }
    }
}

}  // namespace lastref
