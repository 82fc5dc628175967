/* A block freed twice.
 *
 *   double_free caught      Truth: one block of 40 bytes is freed in first_owner, then in
 *                           second_owner. glibc notices and aborts: the process dies of SIGABRT
 *                           inside the second free, which the trace must show all the same.
 *   double_free unnoticed   Truth: the same with another block freed in between and glibc's
 *                           per-thread cache full, which glibc does not notice. Status 0.
 *
 * In both, one double free and no other finding of the program's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wuse-after-free"

#define FRAME __attribute__((noinline, noclone))

/* The compiler must not see that it is the same block. */
static void* volatile hidden;

FRAME static void first_owner(void* block) {
    free(block);
    hidden = NULL;
}

FRAME static void second_owner(void* block) {
    free(block);
    hidden = NULL;
}

int main(int argc, char** argv) {
    const size_t size = 40;
    if (argc != 2) return 2;
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);

    if (strcmp(argv[1], "caught") == 0) {
        hidden = malloc(size);
        void* block = hidden;
        first_owner(block);
        second_owner(block);
        return 1; /* glibc did not notice */
    }

    void* fillers[7];
    for (int i = 0; i < 7; ++i) fillers[i] = malloc(size);
    hidden = malloc(size);
    void* block = hidden;
    hidden = malloc(size);
    void* between = hidden;
    for (int i = 0; i < 7; ++i) free(fillers[i]);
    first_owner(block);
    free(between);
    second_owner(block);
    /* The heap is damaged now: end without using it again. */
    const char line[] = "unnoticed\n";
    _exit(write(1, line, sizeof line - 1) == sizeof line - 1 ? 0 : 1);
}
