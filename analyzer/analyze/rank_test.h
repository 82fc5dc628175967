// Whether some lie evenly among all that were made one after the other, or rather in front or at
// the end.
//
// The rank-sum test (F. Wilcoxon, 'Individual comparisons by ranking methods', 1945) over strata,
// in each of which ranks are counted separately (P. van Elteren, 'On the combination of independent
// two-sample tests of Wilcoxon', 1960): here the blocks of one stack are a stratum. Blocks left
// behind by a fault that may happen at any time lie evenly. Blocks kept because they were the first
// of their kind thin out, and among blocks that a table holds until they are removed the newest are
// left most often.
#ifndef LASTREF_ANALYZER_ANALYZE_RANK_TEST_H
#define LASTREF_ANALYZER_ANALYZE_RANK_TEST_H

#include <cmath>
#include <cstdint>

namespace lastref {

class RankTest {
public:
    // A stratum: `some` of `all`, with ranks from 0 to all - 1 that add up to `ranks`.
    void add(uint64_t some, uint64_t all, double ranks) {
        if (some == 0 || some >= all) return;  // no evidence
        const auto n = static_cast<double>(some), of = static_cast<double>(all);
        count_ += n;
        shift_ += (ranks + n / 2) / of - n / 2;
        variance_ += n * (of + 1) * (of - n) / (12 * of * of);
    }
    void add(const RankTest& other) {
        count_ += other.count_;
        shift_ += other.shift_;
        variance_ += other.variance_;
    }

    // One in two hundred of those that lie evenly does so by chance.
    bool lie_in_front() const {
        // The sum of fewer is not distributed like that; all of them have to be among the first.
        constexpr double kFront = 1.0 / 16;
        if (count_ < kFewest) return shift_ < count_ * (kFront - 0.5);
        return shift_ < -kOneInTwoHundred * std::sqrt(variance_);
    }
    // Another one in two hundred does so. Not decided for fewer than kFewest.
    bool lie_at_end() const {
        return count_ >= kFewest && shift_ > kOneInTwoHundred * std::sqrt(variance_);
    }

private:
    static constexpr double kFewest = 4;
    static constexpr double kOneInTwoHundred = 2.58;  // standard deviations, normally distributed

    double count_ = 0;
    double shift_ = 0;  // of the ranks' sum from its mean, in shares of all
    double variance_ = 0;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_RANK_TEST_H
