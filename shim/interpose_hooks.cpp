// The hook API of lastref/lastref.h, as the shim defines it.
#include "interpose.h"
#include "recorder.h"
#include "session.h"

namespace recorder = lastref::recorder;
using recorder::Op;

extern "C" {

LASTREF_INTERPOSE void lastref_shim_create(const void* buf, size_t size, const char* type) {
    if (buf) recorder::buffer_created(buf, size, type, LASTREF_CALLER);
}
LASTREF_INTERPOSE void lastref_shim_retain(const void* buf) {
    if (buf) recorder::buffer_event(Op::kRetain, buf, LASTREF_CALLER);
}
LASTREF_INTERPOSE void lastref_shim_release(const void* buf) {
    if (buf) recorder::buffer_event(Op::kRelease, buf, LASTREF_CALLER);
}
LASTREF_INTERPOSE void lastref_shim_touch(const void* buf, const char* hint) {
    if (buf) recorder::buffer_touched(buf, hint, LASTREF_CALLER);
}
LASTREF_INTERPOSE void lastref_shim_count(const void* buf, long count) {
    if (buf) recorder::buffer_counted(buf, count, LASTREF_CALLER);
}
LASTREF_INTERPOSE void lastref_shim_move(const void* from, const void* to) {
    if (from && to) recorder::buffer_moved(from, to, LASTREF_CALLER);
}
LASTREF_INTERPOSE void lastref_shim_destroy(const void* buf) {
    if (buf) recorder::buffer_event(Op::kDestroy, buf, LASTREF_CALLER);
}
LASTREF_INTERPOSE void lastref_shim_mark(const char* phase) {
    recorder::phase_began(phase, LASTREF_CALLER);
}
LASTREF_INTERPOSE int lastref_shim_active(void) {
    return lastref::recording && lastref::process.session &&
           lastref::process.session->state.load() == lastref::SessionState::kRecording;
}

}  // extern "C"
