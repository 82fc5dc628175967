/*
 * Two timers fire all the time into a loop of malloc and free, on two threads; both handlers
 * allocate 109 bytes and free them, one of them on an alternate stack, and one may interrupt the
 * other. signal_safe_malloc makes that legal. How often the handlers ran goes to standard error.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <time.h>

#include "program.h"

enum { kPairs = 200000, kSize = 107, kHandlerSize = 109, kEnoughSignals = 1000 };

static atomic_long handled;

static void handle(int signal_number) {
    (void)signal_number;
    const int kept_errno = errno;
    void* block = kept(malloc(kHandlerSize));
    CHECK(block);
    free(kept(block));
    atomic_fetch_add(&handled, 1);
    errno = kept_errno;
}

static void* work(void* unused) {
    static _Thread_local char alternate[65536];
    const stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    (void)unused;
    CHECK(sigaltstack(&stack, NULL) == 0);
    for (int i = 0; i < kPairs; i++) {
        void* block = kept(malloc(kSize));
        CHECK(block);
        free(kept(block));
    }
    while (atomic_load(&handled) < kEnoughSignals) __builtin_ia32_pause();
    /* A thread's alternate stack must not outlive it. */
    sigset_t all;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_BLOCK, &all, NULL) == 0);
    return NULL;
}

int main(void) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGRTMIN, &action, NULL) == 0);
    action.sa_flags |= SA_ONSTACK;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);

    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    timer_t timer;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    const struct itimerspec period = {{0, 70000}, {0, 70000}};
    CHECK(timer_settime(timer, 0, &period, NULL) == 0);
    const struct itimerval alarm_period = {{0, 90}, {0, 90}};
    CHECK(setitimer(ITIMER_REAL, &alarm_period, NULL) == 0);

    pthread_t other;
    CHECK(pthread_create(&other, NULL, work, NULL) == 0);
    work(NULL);
    CHECK(pthread_join(other, NULL) == 0);

    const struct itimerspec stop = {{0, 0}, {0, 0}};
    CHECK(timer_settime(timer, 0, &stop, NULL) == 0);
    const struct itimerval alarm_stop = {{0, 0}, {0, 0}};
    CHECK(setitimer(ITIMER_REAL, &alarm_stop, NULL) == 0);
    /* Pending signals are ignored, then deliverable again: nothing runs after the count is read. */
    signal(SIGALRM, SIG_IGN);
    signal(SIGRTMIN, SIG_IGN);
    dprintf(2, "handled %ld\n", atomic_load(&handled));
    printf("%d pairs in each of 2 threads\n", kPairs);
    return 0;
}
