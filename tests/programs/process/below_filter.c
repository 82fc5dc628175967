/*
 * below_filter COMMAND ARGUMENTS...: executes the command below a seccomp filter that kills the
 * process at system calls which ordinary programs have no need of, but a tracer may:
 * process_vm_readv and process_vm_writev, fallocate, membarrier, mincore, memfd_create, ptrace,
 * perf_event_open, userfaultfd. The command inherits the filter; so do its children.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KILL_AT(call)                                      \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

int main(int count, char** arguments) {
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        KILL_AT(process_vm_readv),
        KILL_AT(process_vm_writev),
        KILL_AT(fallocate),
        KILL_AT(membarrier),
        KILL_AT(mincore),
        KILL_AT(memfd_create),
        KILL_AT(ptrace),
        KILL_AT(perf_event_open),
        KILL_AT(userfaultfd),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    if (count < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        perror("below_filter");
        return 125;
    }
    execvp(arguments[1], arguments + 1);
    perror(arguments[1]);
    return 127;
}
