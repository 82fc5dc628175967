// What a trace says of the hooks in other people's libraries: which types they see, and which of
// those only in part. No verdict is drawn from half of a type's events.
#ifndef LASTREF_ANALYZER_ANALYZE_HOOK_FACTS_H
#define LASTREF_ANALYZER_ANALYZE_HOOK_FACTS_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace lastref {

struct HookRecord;

// A type by its name's string id. Of one trace.
class HookFacts {
public:
    HookFacts() = default;
    explicit HookFacts(const std::vector<HookRecord>& records);

    bool any() const { return !types_.empty(); }
    bool hooked(uint32_t type) const { return types_.contains(type); }
    // What is not seen of it; nullptr where all is.
    const std::string* partial(uint32_t type) const {
        const Type* const found = find(type);
        return found == nullptr || found->partial.empty() ? nullptr : &found->partial;
    }
    // Whether what is read as its counter is known to be that.
    bool counter_holds(uint32_t type) const {
        const Type* const found = find(type);
        return found != nullptr && found->counter_holds();
    }
    // What contradicted the counter; nullptr where nothing did.
    const std::string* counter_refused(uint32_t type) const {
        const Type* const found = find(type);
        return found == nullptr || found->counter_refused.empty() ? nullptr
                                                                  : &found->counter_refused;
    }

private:
    struct Type {
        bool hooked = false, has_counter = false, implicit = false, counter_followed = false;
        std::string partial, counter_refused;

        bool counter_holds() const { return counter_followed && counter_refused.empty(); }
    };
    const Type* find(uint32_t type) const {
        const auto found = types_.find(type);
        return found == types_.end() ? nullptr : &found->second;
    }

    std::map<uint32_t, Type> types_;
};

// How many of a type's operations were seen, of those that its true counter proves.
struct HookCoverage {
    uint64_t seen = 0;
    uint64_t unseen = 0;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_HOOK_FACTS_H
