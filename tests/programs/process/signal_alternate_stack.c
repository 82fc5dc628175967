/*
 * 5,000 signals, raised where malloc is not running, handled on an alternate stack of the smallest
 * size that the system advises; the handler allocates 7,011 bytes and frees them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/auxv.h>

#include "program.h"

enum { kSignals = 5000, kSize = 7011 };

static volatile int handled;

static void handle(int signal_number) {
    (void)signal_number;
    free(kept(malloc(kSize)));
    handled++;
}

int main(void) {
    const size_t size = (size_t)sysconf(_SC_SIGSTKSZ);
    const stack_t stack = {.ss_sp = malloc(size), .ss_size = size};
    CHECK(sigaltstack(&stack, NULL) == 0);
    const struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    for (int i = 0; i < kSignals; i++) CHECK(raise(SIGUSR1) == 0);
    printf("%d signals handled\n", handled);
    return 0;
}
