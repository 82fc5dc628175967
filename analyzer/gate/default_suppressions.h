// The suppressions that a program brings for LeakSanitizer: what its function
// __lsan_default_suppressions() returns, read from its file. Nothing of the program is run.
#ifndef LASTREF_ANALYZER_GATE_DEFAULT_SUPPRESSIONS_H
#define LASTREF_ANALYZER_GATE_DEFAULT_SUPPRESSIONS_H

#include <string>

namespace lastref {

struct DefaultSuppressions {
    std::string text;    // as the function returns it; empty where there is none
    std::string reason;  // why what is there can't be read; else empty
};

// Understands functions that return one string literal, built with or without optimisation and
// position-independent or not, which is what they are for; says so where it is another one.
DefaultSuppressions default_suppressions(const std::string& program);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_GATE_DEFAULT_SUPPRESSIONS_H
