// Row 35 of doc/lifecycle-bugs.md, fork: what a child inherits is not the child's.
//
//   forked_child EXEC_TARGET
//
// Truth, three processes:
//   parent  makes 10 buffers 'Inherited', forks, waits, releases all 10: nothing leaks.
//   child   releases 4 of its inherited copies (their counts reach zero: no over-release), makes 20
//           buffers 'ChildBuffer' and 5 heap blocks of 300 bytes, leaks 3 buffers and 2 blocks. The
//           6 inherited copies that it still has are not its leak. Ends with status 7.
//   target  a second child that executes EXEC_TARGET at once (see exec_target.cpp).
#include <sys/wait.h>
#include <unistd.h>

#include "buffer.h"

constexpr int kInherited = 10;

FRAME static void* make_block() {
    return std::malloc(300);
}

FRAME static Buffer* make_child_buffer() {
    return Buffer::create("ChildBuffer");
}

FRAME static int child_main(Buffer** inherited) {
    for (int i = 0; i < 4; ++i) inherited[i]->release();
    for (int i = 0; i < 20; ++i) {
        Buffer* buffer = make_child_buffer();
        if (i >= 3) buffer->release();
    }
    void* volatile lost = nullptr;
    for (int i = 0; i < 5; ++i) {
        void* block = make_block();
        if (i < 2)
            lost = block;
        else
            std::free(block);
    }
    return lost ? 7 : 1;
}

static int status_of(pid_t child) {
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) std::abort();
    return WEXITSTATUS(status);
}

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    Buffer* inherited[kInherited];
    for (Buffer*& buffer : inherited) buffer = Buffer::create("Inherited");

    const pid_t child = fork();
    if (child == 0) _exit(child_main(inherited));
    const int child_status = status_of(child);

    const pid_t target = fork();
    if (target == 0) {
        execl(argv[1], argv[1], static_cast<char*>(nullptr));
        _exit(127);
    }
    const int target_status = status_of(target);

    for (Buffer* buffer : inherited) buffer->release();
    std::printf("child %d, target %d\n", child_status, target_status);
}
