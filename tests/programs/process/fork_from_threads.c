/*
 * Forks 40 children while four threads allocate without pause; so each child is born with whatever
 * those threads left half done. Every child starts a thread, allocates 100 blocks of 5,201 bytes
 * in it and frees them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "program.h"

enum { kThreads = 4, kChildren = 40 };

static atomic_int stop;

static void* allocate(void* unused) {
    (void)unused;
    while (!atomic_load(&stop)) churn(50, 5301);
    return NULL;
}

static void* in_child(void* unused) {
    churn(100, 5201);
    return unused;
}

int main(void) {
    pthread_t threads[kThreads];
    for (int i = 0; i < kThreads; i++)
        CHECK(pthread_create(&threads[i], NULL, allocate, NULL) == 0);
    int well = 0;
    for (int i = 0; i < kChildren; i++) {
        const pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            pthread_t thread;
            CHECK(pthread_create(&thread, NULL, in_child, NULL) == 0);
            CHECK(pthread_join(thread, NULL) == 0);
            _exit(11);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child);
        well += WIFEXITED(status) && WEXITSTATUS(status) == 11;
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < kThreads; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    printf("%d children ended well\n", well);
    return 0;
}
