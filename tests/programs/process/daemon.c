/*
 * daemon RESULT: becomes a daemon by the book: forks twice, new session, chdir to /, umask, closes
 * every descriptor there is, opens /dev/null as 0, 1 and 2. Then allocates and frees 100,000
 * blocks of 6,801 bytes and writes RESULT. The first process waits for its whole family.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "program.h"

enum { kPairs = 100000 };

int main(int argc, char** argv) {
    CHECK(argc == 2 && argv[1][0] == '/');
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    churn(10, 6802);
    const pid_t first = fork();
    CHECK(first >= 0);
    if (first == 0) {
        CHECK(setsid() > 0);
        const pid_t second = fork();
        CHECK(second >= 0);
        if (second > 0) _exit(1);
        CHECK(chdir("/") == 0);
        umask(0);
        if (syscall(SYS_close_range, 0, ~0U, 0) != 0)
            for (int i = 0; i < 65536; i++) close(i);
        const int null = open("/dev/null", O_RDWR);
        const int output = dup(null), error = dup(null);
        churn(kPairs, 6801);
        const int result = open(argv[1], O_CREAT | O_WRONLY | O_TRUNC, 0644);
        dprintf(result, "descriptors %d %d %d %d\n", null, output, error, result);
        return 3;
    }
    int status, statuses = 0;
    while (waitpid(-1, &status, 0) > 0) statuses += WEXITSTATUS(status);
    printf("statuses sum up to %d\n", statuses);
    return 0;
}
