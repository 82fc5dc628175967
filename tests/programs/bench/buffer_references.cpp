// References to one buffer taken and dropped 12 to 28 frames deep, and how long each event takes.
//
//     buffer_references gstreamer|lastref EVENTS [unnamed]
//
// gstreamer: gst_buffer_ref() and gst_buffer_unref() of a GstBuffer, which GStreamer's leaks tracer
// records where GST_TRACERS says so. lastref: the same calls' place is taken by lastref_retain()
// and lastref_release() of a created buffer. Both walk the same way through the calls
// (call_walk.h). `unnamed`: libunwind's look-up of function names, which the tracer asks for each
// frame even at stack-traces-flags=none, answers 'none known' at once, so that addresses alone are
// collected. Prints one JSON object: nanoseconds of processor time per event, the average depth and
// the fresh frames.
#include <dlfcn.h>
#include <gst/gst.h>
#include <lastref/lastref.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "call_walk.h"
#include "seconds.h"

namespace {

bool unnamed;

struct Work {
    [[gnu::always_inline]] void event(unsigned) {
        if (buffer) {
            if (retained)
                gst_buffer_unref(buffer);
            else
                gst_buffer_ref(buffer);
        } else {
            if (retained)
                lastref_release(this);
            else
                lastref_retain(this);
        }
        retained = !retained;
        fresh += walk.fresh_frames();
        frames += walk.frames();
    }

    bench::CallWalk walk{12, 28, 0x5eed};
    GstBuffer* buffer = nullptr;  // none: lastref's turn
    bool retained = false;
    uint64_t fresh = 0, frames = 0;
};

}  // namespace

// In libunwind's place, as the program's own symbols come first.
extern "C" int _ULx86_64_get_proc_name(void* cursor, char* name, size_t size, uintptr_t* offset) {
    constexpr int kNoInformation = -10;  // UNW_ENOINFO
    using Function = int(void*, char*, size_t, uintptr_t*);
    static Function* const real =
        reinterpret_cast<Function*>(dlsym(RTLD_NEXT, "_ULx86_64_get_proc_name"));
    return unnamed || !real ? kNoInformation : real(cursor, name, size, offset);
}

int main(int argc, char** argv) {
    unnamed = argc == 4 && strcmp(argv[3], "unnamed") == 0;
    bool gstreamer = argc >= 3 && strcmp(argv[1], "gstreamer") == 0;
    uint64_t events = argc >= 3 ? strtoull(argv[2], nullptr, 10) / 2 * 2 : 0;
    if (events < 2 || argc > 4 || (argc == 4 && !unnamed) ||
        (!gstreamer && strcmp(argv[1], "lastref") != 0)) {
        fprintf(stderr, "usage: buffer_references gstreamer|lastref EVENTS [unnamed]\n");
        return 2;
    }
    static Work work;
    if (gstreamer) {
        gst_init(nullptr, nullptr);
        work.buffer = gst_buffer_new();
    } else {
        lastref_create(&work, sizeof work, "Work");
    }
    double begin = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    work.walk.run(work, events);
    double end = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    if (gstreamer)
        gst_buffer_unref(work.buffer);
    else
        lastref_release(&work);
    printf("{\"nanoseconds\": %.3f, \"frames\": %.2f, \"fresh\": %.2f}\n",
           (end - begin) * 1e9 / static_cast<double>(events),
           static_cast<double>(work.frames) / events, static_cast<double>(work.fresh) / events);
    fflush(stdout);
}
