#include "analyze/judges.h"

#include <utility>

namespace lastref {

Judges::Judges(FindingBuilder& builder)
    : builder_(builder),
      paths_(builder.names()),
      classes_(classify_leaked(builder.lifecycle().buffers(), builder.facts())) {}

std::vector<uint32_t> Judges::leaking() const {
    std::vector<uint32_t> types;
    for (const LeakedClass& one : classes_) {
        if (types.empty() || types.back() != one.origin.first) types.push_back(one.origin.first);
    }
    return types;
}

Judge& Judges::of(uint32_t type) {
    const auto [at, fresh] = judges_.try_emplace(type);
    if (!fresh) return *at->second;
    std::vector<std::pair<uint32_t, SiteCounts>> running;
    for (const LeakedClass& one : classes_) {
        if (one.origin.first == type) running.emplace_back(one.origin.second, one.sites);
    }
    builder_.lifecycle().misuses().for_each([&](const Misuse& misuse) {
        if (misuse.type == type && !misuse.history.empty()) {
            running.emplace_back(misuse.created_stack, count_sites(misuse.history));
        }
    });
    at->second =
        std::make_unique<Judge>(paths_, builder_.lifecycle().buffers().origins(), type, running);
    for (const LeakedClass& one : classes_) {
        if (one.origin.first == type) at->second->leaked.push_back(&one);
    }
    return *at->second;
}

}  // namespace lastref
