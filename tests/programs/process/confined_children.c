/*
 * confined_children WAY PROGRAM FIRST LAST: for each system call number from FIRST to LAST, a child
 * installs a seccomp filter that kills for this one call, allocates, begins a child of its own by
 * WAY, and ends with that one's status. WAY is 'fork', 'clone' (the system call), 'vfork' (which
 * executes PROGRAM), 'spawn' (the same by posix_spawn) or 'exec' (no child: PROGRAM itself).
 *
 * One line for each number says what became of the two. What a filter kills without the shim is
 * killed with it, and nothing else.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "program.h"

extern char** environ;

static void forbid(unsigned number) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static int shell_status(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int begin(const char* way, char* program) {
    char* arguments[] = {program, NULL};
    if (strcmp(way, "exec") == 0) {
        execve(program, arguments, environ);
        return 126;
    }
    pid_t child = -1;
    if (strcmp(way, "spawn") == 0) {
        if (posix_spawn(&child, program, NULL, NULL, arguments, environ) != 0) return 125;
    } else if (strcmp(way, "vfork") == 0) {
        child = vfork();
        if (child == 0) {
            execve(program, arguments, environ);
            _exit(126);
        }
    } else {
        child = strcmp(way, "clone") == 0 ? (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) : fork();
        if (child == 0) {
            churn(2, 6103);
            _exit(3);
        }
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child) return 124;
    return shell_status(status);
}

int main(int argc, char** argv) {
    CHECK(argc == 5);
    const struct rlimit no_core = {0, 0};
    CHECK(setrlimit(RLIMIT_CORE, &no_core) == 0);
    for (int number = atoi(argv[3]); number <= atoi(argv[4]); number++) {
        fflush(stdout);
        const pid_t child = fork();
        if (child == 0) {
            churn(1, 6101);
            forbid((unsigned)number);
            churn(1, 6102);
            _exit(begin(argv[1], argv[2]));
        }
        int status;
        CHECK(child > 0 && waitpid(child, &status, 0) == child);
        printf("%d: %d\n", number, shell_status(status));
    }
    return 0;
}
