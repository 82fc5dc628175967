#include "analyze/findings.h"

namespace lastref {

std::string_view kind_name(Kind kind) {
    switch (kind) {
        case Kind::kRefcountLeak:
            return "refcount-leak";
        case Kind::kHeapLeak:
            return "heap-leak";
        case Kind::kMappingLeak:
            return "mapping-leak";
        case Kind::kOverRelease:
            return "over-release";
        case Kind::kUseAfterRelease:
            return "use-after-release";
        case Kind::kFreedWhileReferenced:
            return "freed-while-referenced";
        case Kind::kDoubleFree:
            return "double-free";
        case Kind::kGrowth:
            return "growth";
        case Kind::kAllocationFailure:
            return "allocation-failure";
        case Kind::kHeld:
            return "held";
    }
    return "unknown";
}

std::string_view cause_name(Cause cause) {
    switch (cause) {
        case Cause::kUnknown:
            return "unknown";
        case Cause::kExtraRetain:
            return "extra-retain";
        case Cause::kMissingRelease:
            return "missing-release";
        case Cause::kNeverReleased:
            return "never-released";
        case Cause::kPoolNotReturned:
            return "pool-not-returned";
        case Cause::kCycle:
            return "cycle";
        case Cause::kReferenceToLeakedOwner:
            return "reference-to-leaked-owner";
        case Cause::kGrowth:
            return "growth";
        case Cause::kCache:
            return "cache";
        case Cause::kInFlight:
            return "in-flight";
        case Cause::kShutdown:
            return "shutdown";
        case Cause::kUnseen:
            return "unseen";
    }
    return "unknown";
}

std::string_view standing_name(Standing standing) {
    switch (standing) {
        case Standing::kUnjudged:
            return "";
        case Standing::kNew:
            return "new";
        case Standing::kGrown:
            return "grown";
        case Standing::kOverBudget:
            return "over-budget";
        case Standing::kKnown:
            return "known";
        case Standing::kWithinBudget:
            return "within-budget";
        case Standing::kSuppressed:
            return "suppressed";
        case Standing::kLeftOut:
            return "left-out";
    }
    return "";
}

HookedType& hooked_type(Summary& summary, const std::string& type) {
    for (HookedType& one : summary.hooked)
        if (one.type == type) return one;
    return summary.hooked.emplace_back(HookedType{type, 0, 0, {}, {}});
}

bool is_failing(Standing standing) {
    return standing == Standing::kNew || standing == Standing::kGrown ||
           standing == Standing::kOverBudget;
}

bool counts_as_failure(Standing standing) {
    return standing == Standing::kUnjudged || is_failing(standing);
}

bool is_set_aside(Standing standing) {
    return standing == Standing::kSuppressed || standing == Standing::kLeftOut;
}

}  // namespace lastref
