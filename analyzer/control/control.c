// The planted control of `lastref gate`: leaks that every run must find, and their clean twins that
// no run may accuse. Run through the same shim, environment, level and suppressions as the command
// that is judged; what it does is checked in analyzer/gate/control.cpp.
//
// So many and so large that a sample (levels simple and advanced) has some of them.
#include <lastref/lastref.h>
#include <stdlib.h>

enum { kBuffers = 4096, kBlocks = 64, kBlockSize = 256 * 1024 };

static char leaked[kBuffers], clean[kBuffers];
static void* volatile blocks[kBlocks];

// Exported and not inlined, so that their names are there even without debug information.
#define CONTROL __attribute__((noinline, noclone, visibility("default"))) void

CONTROL lastref_control_leak(void) {
    for (int i = 0; i < kBuffers; i++) lastref_create(&leaked[i], 1, "lastref.control.leaked");
    for (int i = 0; i < kBlocks; i++) blocks[i] = malloc(kBlockSize);
    for (int i = 0; i < kBlocks; i++) blocks[i] = NULL;
}

CONTROL lastref_control_clean(void) {
    for (int i = 0; i < kBuffers; i++) {
        lastref_create(&clean[i], 1, "lastref.control.clean");
        lastref_retain(&clean[i]);
        lastref_release(&clean[i]);
        lastref_release(&clean[i]);
    }
    for (int i = 0; i < kBlocks; i++) blocks[i] = malloc(kBlockSize);
    for (int i = 0; i < kBlocks; i++) free(blocks[i]);
}

int main(void) {
    lastref_control_clean();
    lastref_control_leak();
    return 0;
}
