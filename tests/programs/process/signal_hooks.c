/*
 * A buffer's life reported through lastref.h, 100,000 times, while a timer's handler reports lives of
 * other buffers through it, in the middle of the first ones. Handler runs go to standard error.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <lastref/lastref.h>
#include <signal.h>
#include <sys/time.h>

#include "program.h"

enum { kLives = 100000, kEnoughSignals = 500 };

static volatile long handled;
static char in_main, in_handler;

static void live(char* buffer, const char* type) {
    lastref_create(buffer, 64, type);
    lastref_retain(buffer);
    lastref_touch(buffer, "seen");
    lastref_release(buffer);
    lastref_release(buffer);
}

static void handle(int signal_number) {
    (void)signal_number;
    live(&in_handler, "Handler");
    handled++;
}

int main(void) {
    const struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    const struct itimerval period = {{0, 80}, {0, 80}};
    CHECK(setitimer(ITIMER_REAL, &period, NULL) == 0);
    for (int i = 0; i < kLives; i++) live(&in_main, "Main");
    while (handled < kEnoughSignals) live(&in_main, "More");
    signal(SIGALRM, SIG_IGN);
    dprintf(2, "handled %ld\n", handled);
    printf("%d lives\n", kLives);
    return 0;
}
