/*
 * Five generations: each allocates one block of 5,100 + generation bytes, forks the next and waits.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/wait.h>

#include "program.h"

enum { kGenerations = 5 };

int main(void) {
    for (int generation = 0; generation < kGenerations; generation++) {
        free(kept(malloc(5100 + generation)));
        if (generation == kGenerations - 1) return generation;
        const pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) continue;
        int status;
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
        if (generation == 0) printf("youngest was %d\n", WEXITSTATUS(status));
        return WEXITSTATUS(status);
    }
    return kCheckFailed;
}
