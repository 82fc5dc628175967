// Executed by forked_child: a program of its own, with a trace of its own.
//
// Truth: 2 buffers 'AfterExec' leak, made in after_exec. Status 9.
#include "buffer.h"

FRAME static Buffer* after_exec() {
    return Buffer::create("AfterExec");
}

int main() {
    const int counts = after_exec()->count() + after_exec()->count();
    return counts == 2 ? 9 : 1;
}
