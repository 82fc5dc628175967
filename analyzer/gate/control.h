// The check of the planted control (control/control.c): its leaks must be found, and no other.
#ifndef LASTREF_ANALYZER_GATE_CONTROL_H
#define LASTREF_ANALYZER_GATE_CONTROL_H

#include <string>

#include "analyze/findings.h"
#include "gate/suppressions.h"

namespace lastref {

// Why the report on the control shows that this gate can't be trusted, as a sentence; empty where
// its leaks are found, named, and left by the suppressions, and what it freed is not accused.
std::string why_control_fails(const Report& control, Suppressions& suppressions);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_GATE_CONTROL_H
