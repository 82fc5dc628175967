/*
 * raw_child WAY: a child made behind the C library's back. WAY is 'fork' (the system call),
 * 'clone' (the system call), 'clone3' (the system call) or 'clone-function' (clone() with a stack
 * of its own, memory not shared). The child allocates 20 blocks of 6,006 bytes and ends by the
 * exit_group system call; the parent allocates 20 of 6,007 meanwhile and after.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "program.h"

static int in_child(void* unused) {
    (void)unused;
    churn(20, 6006);
    syscall(SYS_exit_group, 21);
    return 0;
}

int main(int argc, char** argv) {
    CHECK(argc == 2);
    churn(10, 6007);
    long child = -1;
    if (strcmp(argv[1], "fork") == 0) {
        child = syscall(SYS_fork);
        if (child == 0) in_child(NULL);
    } else if (strcmp(argv[1], "clone") == 0) {
        child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        if (child == 0) in_child(NULL);
    } else if (strcmp(argv[1], "clone3") == 0) {
        struct clone_args arguments = {.exit_signal = SIGCHLD};
        child = syscall(SYS_clone3, &arguments, sizeof arguments);
        if (child == 0) in_child(NULL);
    } else if (strcmp(argv[1], "clone-function") == 0) {
        enum { kStack = 1 << 18 };
        char* stack = malloc(kStack);
        child = clone(in_child, stack + kStack, SIGCHLD, NULL);
    }
    CHECK(child > 0);
    churn(5, 6007);
    int status;
    CHECK(waitpid((pid_t)child, &status, 0) == child);
    churn(5, 6007);
    printf("%s: child's status %d\n", argv[1], WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return 0;
}
