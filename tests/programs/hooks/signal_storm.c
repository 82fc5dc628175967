/* Calls a hooked function until a timer's handler, which calls another, has come 2000 times. Prints how
 * often each was called. */
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>

#define HOOKED __attribute__((noinline, noclone)) void

static volatile sig_atomic_t handled;
static const void *volatile last_of_main, *volatile last_of_handler;

HOOKED storm_main(const void* who) {
    last_of_main = who;
}
HOOKED storm_handler(const void* who) {
    last_of_handler = who;
}

static void on_timer(int signal) {
    storm_handler((const void*)0x2000);
    handled++;
    (void)signal;
}

int main(void) {
    struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 50}, {0, 50}};
    long calls = 0;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (; handled < 2000; calls++) storm_main((const void*)0x1000);
    often = (struct itimerval){{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &often, NULL);
    printf("%ld %d\n", calls, (int)handled);
    return 0;
}
