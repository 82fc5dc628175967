// Whether a type's counter lies where its rule says: a library may be of another version, and a
// rule wrong. Its readings are recorded from the start, and trusted once they follow the
// operations:
//
//   unknown ──a retain or release steps it by one──▶ followed ──often, or a creation──▶ settled
//      │                                                │          leaves one
//      └──▶ refused: it is not read any more ◀──────────┘
//             a reading is no count at all, or most steps differ
//
// Once it is settled, a reading that is no count means a bad object; steps that differ mean inlined
// operations, or other threads.
#ifndef LASTREF_SHIM_HOOK_COUNTER_H
#define LASTREF_SHIM_HOOK_COUNTER_H

#include "hook_events.h"

namespace lastref::hooks {

// To be called with each event, in its thread. A reading that is no count is taken out of the
// event.
void check_counter(HookEvent& event);

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOK_COUNTER_H
