/*
 * exit_ways WAY: allocates 50 blocks of 9,201 bytes, frees 40, and ends: 'return', 'exit',
 * 'exit-from-thread', 'pthread-exit-from-main' (another thread ends last), 'quick_exit', '_exit',
 * '_Exit', 'exit_group' (the system call), 'abort', 'sigkill', 'sigsegv' (a real fault), 'sigterm',
 * 'trap', or 'caught-sigsegv' (a handler of the program's own ends it). Handlers of
 * atexit and at_quick_exit allocate 9,202 bytes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include "program.h"

static pthread_t first;

static void at_end(void) {
    churn(1, 9202);
    puts("handler ran");
    fflush(stdout);
}

static void* exit_here(void* unused) {
    exit(31);
    return unused;
}

static void* outlive_main(void* unused) {
    CHECK(pthread_join(first, NULL) == 0);
    churn(1, 9203);
    puts("outlived main");
    return unused;
}

static void on_fault(int signal_number) {
    (void)signal_number;
    _exit(38);
}

int main(int argc, char** argv) {
    CHECK(argc == 2);
    const char* way = argv[1];
    CHECK(atexit(at_end) == 0 && at_quick_exit(at_end) == 0);
    for (int i = 0; i < 50; i++) {
        void* block = kept(malloc(9201));
        if (i % 5) free(kept(block));
    }
    printf("%s\n", way);
    fflush(stdout);
    if (strcmp(way, "return") == 0) return 30;
    if (strcmp(way, "exit") == 0) exit(30);
    if (strcmp(way, "exit-from-thread") == 0) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, exit_here, NULL) == 0);
        pthread_join(thread, NULL);
    }
    if (strcmp(way, "pthread-exit-from-main") == 0) {
        pthread_t thread;
        first = pthread_self();
        CHECK(pthread_create(&thread, NULL, outlive_main, NULL) == 0);
        pthread_exit(NULL);
    }
    if (strcmp(way, "quick_exit") == 0) quick_exit(32);
    if (strcmp(way, "_exit") == 0) _exit(33);
    if (strcmp(way, "_Exit") == 0) _Exit(34);
    if (strcmp(way, "exit_group") == 0) syscall(SYS_exit_group, 35);
    if (strcmp(way, "abort") == 0) abort();
    if (strcmp(way, "sigkill") == 0) kill(getpid(), SIGKILL);
    if (strcmp(way, "sigterm") == 0) kill(getpid(), SIGTERM);
    if (strcmp(way, "trap") == 0) __builtin_trap();
    if (strcmp(way, "caught-sigsegv") == 0) signal(SIGSEGV, on_fault);
    *(volatile int*)8 = 1;
    return kCheckFailed;
}
