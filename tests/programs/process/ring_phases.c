/* Blocks kept before, and after, more events than a small ring holds; from two threads. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void* volatile sink;

__attribute__((noinline)) static void keep_early(void) {
    sink = malloc(301);
}
__attribute__((noinline)) static void keep_late(void) {
    sink = malloc(302);
}
__attribute__((noinline)) static void churn(void) {
    for (int i = 0; i < 200000; i++) {
        void* volatile block = malloc(303); /* each thread's own */
        free(block);
    }
}
static void* other_thread(void* unused) {
    churn();
    return unused;
}

int main(void) {
    for (int i = 0; i < 10; i++) keep_early();
    void* freed_late = malloc(304);
    pthread_t thread;
    if (pthread_create(&thread, NULL, other_thread, NULL) != 0) return 1;
    churn();
    pthread_join(thread, NULL);
    free(freed_late);
    for (int i = 0; i < 10; i++) keep_late();
    puts("kept 10 early, 10 late");
    return 0;
}
