/*
 * Prints a program's surroundings: its open descriptors (a close-on-exec one numbered 64 or higher
 * is left out: the shim may keep one), its environment, signal mask and actions, umask, working
 * directory. Then runs itself by exec and prints them again. Variables named LASTREF* and
 * LD_PRELOAD are left out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "program.h"

extern char** environ;

static void print_descriptors(void) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    printf("limit %ld\n", (long)limit.rlim_cur);
    const int highest = limit.rlim_cur > 65536 ? 65536 : (int)limit.rlim_cur;
    for (int i = 0; i < highest; i++) {
        const int flags = fcntl(i, F_GETFD);
        if (flags < 0 || (i >= 64 && (flags & FD_CLOEXEC))) continue;
        printf("descriptor %d flags %d\n", i, flags);
    }
}

int main(int argc, char** argv) {
    (void)argv;
    print_descriptors();
    for (char** variable = environ; *variable; variable++)
        if (strncmp(*variable, "LASTREF", 7) != 0 && strncmp(*variable, "LD_PRELOAD=", 11) != 0)
            puts(*variable);
    sigset_t mask;
    CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0);
    for (int i = 1; i < SIGRTMAX; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) != 0) continue;
        if (sigismember(&mask, i)) printf("signal %d blocked\n", i);
        if (action.sa_handler != SIG_DFL)
            printf("signal %d %s\n", i, action.sa_handler == SIG_IGN ? "ignored" : "handled");
    }
    printf("umask %o\n", umask(022));
    char folder[4096];
    puts(getcwd(folder, sizeof folder) ? folder : "nowhere");
    fflush(stdout);
    if (argc == 1) {
        execl("/proc/self/exe", "surroundings", "again", (char*)NULL);
        return kCheckFailed;
    }
    return 0;
}
