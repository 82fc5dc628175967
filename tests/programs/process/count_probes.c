/*
 * count_probes PROGRAM ARGS...: runs it and prints on standard error how often it and its threads
 * called rt_sigprocmask with an operation that does not exist, which is how the shim asks whether a
 * page can be read. A count of system calls does not depend on how busy the machine is.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "program.h"

int main(int argc, char** argv) {
    CHECK(argc > 1);
    const pid_t child = fork();
    if (child == 0) {
        CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
        raise(SIGSTOP);
        execv(argv[1], argv + 1);
        _exit(127);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    const long options =
        PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    CHECK(ptrace(PTRACE_SETOPTIONS, child, NULL, options) == 0);
    CHECK(ptrace(PTRACE_SYSCALL, child, NULL, NULL) == 0);
    long stops = 0;
    for (;;) {
        const pid_t stopped = waitpid(-1, &status, __WALL);
        CHECK(stopped > 0);
        if (!WIFSTOPPED(status)) {
            if (stopped == child) break;
            continue;
        }
        long signal = WSTOPSIG(status);
        if (signal == (SIGTRAP | 0x80)) {
            struct user_regs_struct registers;
            CHECK(ptrace(PTRACE_GETREGS, stopped, NULL, &registers) == 0);
            stops += registers.orig_rax == SYS_rt_sigprocmask && (int)registers.rdi == -1;
            signal = 0;
        } else if (signal == SIGTRAP || signal == SIGSTOP) {
            signal = 0;
        }
        ptrace(PTRACE_SYSCALL, stopped, NULL, signal);
    }
    fprintf(stderr, "%ld probes\n", stops / 2);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
