// Which release usually answers a retain, and what is left over when two lives are compared.
//
// A retain and a release belong together where clean lives do both equally often, and where code
// says so: the same function, the same class, the same way of calls. Differences of two lives are
// explained with such pairs; what no pair explains is the residual, the candidates for blame.
#ifndef LASTREF_ANALYZER_ANALYZE_PAIRING_H
#define LASTREF_ANALYZER_ANALYZE_PAIRING_H

#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "analyze/ways.h"

namespace lastref {

class Pairing {
public:
    // `ways` must outlive this.
    explicit Pairing(const TypeWays& ways);

    // How likely it is, 0 to 1, that `release` gives back what `retain` took. `retain` may be a
    // creation (op kCreate).
    double answers(const Use& retain, const Use& release);
    // How likely it is that one life does `a` in the place of what another does as `b`.
    double replaces(const Use& a, const Use& b) const;

private:
    double together(const Use& retain, const Use& release);
    double related(const Use& a, const Use& b) const;
    Place purpose(const Use& use) const;
    uint32_t times(const Way& way, const Use& use) const;

    // The ended ways that do something for one purpose, by their numbers, and how often.
    using Doers = std::vector<std::pair<size_t, uint32_t>>;
    using Deed = std::tuple<trace::Op, Place, Place>;  // operation, site, purpose
    Deed deed(const Use& use) const;
    const Doers& doers(const Use& use) const;

    const TypeWays& ways_;
    // Sites that several functions come to for a reference: a look-up, a shared helper.
    std::set<std::pair<trace::Op, Place>> shared_;
    std::map<Deed, Doers> doers_;
    std::map<std::pair<std::pair<trace::Op, Place>, std::pair<trace::Op, Place>>, double> known_;
};

// A candidate: what the faulty life did too often, or did not do and a clean one did.
struct Candidate {
    Use use;
    bool absent = false;   // the faulty life lacks it
    bool all_left = true;  // all that happened by this path is left over, not just a part
    double strength = 0;   // 0 to 1: how little anything else explains it
    size_t by = SIZE_MAX;  // which of the reasons explains it best, if any does
};

struct Difference {
    double distance = 0;  // operations that are not the same
    std::vector<Candidate> candidates;
};

// Which surplus do the candidates account for: references kept (leaks), or given back too often?
enum class Fault { kLeak, kOverRelease };

// How `faulty` differs from `clean`, a life of the same type that ended well.
Difference compare(const Way& faulty, const Way& clean, Fault fault, const TypeWays& ways,
                   Pairing& pairing);

// At most the distance that compare() would find, for much less work.
double least_distance(const Way& faulty, const Way& clean, const TypeWays& ways);

// The same without a clean life: what remains when retains and the creation are paired with
// releases of the same life.
Difference balance(const Way& faulty, Fault fault, const TypeWays& ways, Pairing& pairing);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_PAIRING_H
