// short_children N: N children one after the other, every second one executes this program again.
// Nothing leaks in any of them.
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char** arguments) {
    if (count < 2) return 2;
    if (strcmp(arguments[1], "child") == 0) {
        free(malloc(10));
        return 0;
    }
    const int children = atoi(arguments[1]);
    for (int i = 0; i < children; i++) {
        const pid_t child = fork();
        if (child == 0) {
            free(malloc(5));
            if (i % 2) return 0;
            execl("/proc/self/exe", arguments[0], "child", (char*)0);
            _exit(9);
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0) return 1;
    }
    return 0;
}
