// What the entries of operator new and delete lead to where an allocator in front of us defines
// them, in the order of operator_names.
#ifndef LASTREF_SHIM_INTERPOSE_NEW_H
#define LASTREF_SHIM_INTERPOSE_NEW_H

#include "real_functions.h"

namespace lastref {

extern void* const front_forms[kOperatorForms];

}  // namespace lastref

#endif  // LASTREF_SHIM_INTERPOSE_NEW_H
