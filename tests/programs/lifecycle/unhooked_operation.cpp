// Row 34 of doc/lifecycle-bugs.md, a decoy: operations that no hook sees. The true counter shows
// the gap.
//
// Truth: four types, 10 buffers each, none leaked and none released too often:
//   'UnseenRelease'  create, retain, (a release unseen), true count 1, release: ended.
//   'UnseenRetain'   create, (a retain unseen), true count 2, release, release: ended. By the
//                    events alone the last release is one too many.
//   'UnseenEnd'      create, retain, release, (the last release unseen), true count 0: ended.
//   'UnseenHolder'   create, (a retain unseen), true count 2, release; held at count 1 by a holder
//                    whose operations are not hooked, and that drops it unseen. By the events it
//                    lives at the end: 'unseen', no accusation.
#include "buffer.h"

FRAME static void unseen_release() {
    Buffer* buffer = Buffer::create("UnseenRelease");
    buffer->retain();
    buffer->release_unseen();
    lastref_count(buffer, buffer->count());
    buffer->release();
}

FRAME static void unseen_retain() {
    Buffer* buffer = Buffer::create("UnseenRetain");
    buffer->retain_unseen();
    lastref_count(buffer, buffer->count());
    buffer->release();
    buffer->release();
}

FRAME static void unseen_end() {
    Buffer* buffer = Buffer::create("UnseenEnd");
    buffer->retain();
    buffer->release();
    buffer->release_unseen();
    lastref_count(buffer, buffer->count());
}

FRAME static void unseen_holder() {
    Buffer* buffer = Buffer::create("UnseenHolder");
    buffer->retain_unseen();
    lastref_count(buffer, buffer->count());
    buffer->release();
    buffer->release_unseen();
}

int main() {
    for (int i = 0; i < 10; ++i) {
        unseen_release();
        unseen_retain();
        unseen_end();
        unseen_holder();
    }
    std::puts("40 buffers");
}
