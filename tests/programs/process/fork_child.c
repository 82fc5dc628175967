/*
 * A child without exec. The parent allocates ten blocks of 1,234 bytes; the child frees five of
 * them, allocates ten of 4,321 and frees nine; the parent frees all of its own. So the parent
 * leaks nothing, and the child leaks one block, not the five that it inherited and kept.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/wait.h>

#include "program.h"

enum { kBlocks = 10 };

int main(void) {
    void* blocks[kBlocks];
    for (int i = 0; i < kBlocks; i++) CHECK((blocks[i] = kept(malloc(1234))));
    puts("before");
    fflush(stdout);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        for (int i = 0; i < kBlocks / 2; i++) free(kept(blocks[i]));
        for (int i = 0; i < kBlocks; i++) {
            void* block = kept(malloc(4321));
            if (i) free(kept(block));
        }
        puts("child");
        exit(7);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    for (int i = 0; i < kBlocks; i++) free(kept(blocks[i]));
    printf("child's status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return 0;
}
