/*
 * launch WAY: starts itself anew as 'launch started', by 'vfork', 'posix_spawn', 'posix_spawnp',
 * 'fork', 'clone-vm' (clone with CLONE_VM|CLONE_VFORK), 'system', 'popen', 'execveat', or, without
 * a child, by 'exec'; the 'failing-*' ways start a file that isn't there. Allocates 8,001 bytes
 * before and 8,002 after; the started program allocates 8,003.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "program.h"

extern char** environ;

static char path[4096];
static char* arguments[] = {path, (char*)"started", NULL};

static int run_started(void* unused) {
    (void)unused;
    execve(path, arguments, environ);
    _exit(kCheckFailed);
}

static int status_of(pid_t child) {
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int launch(const char* way) {
    pid_t child;
    if (strcmp(way, "vfork") == 0) {
        child = vfork();
        if (child == 0) {
            execve(path, arguments, environ);
            _exit(kCheckFailed);
        }
        return status_of(child);
    }
    if (strcmp(way, "failing-vfork") == 0) {
        child = vfork();
        if (child == 0) {
            execl("/nonexistent/program", "program", (char*)NULL);
            _exit(errno == ENOENT ? 44 : kCheckFailed);
        }
        return status_of(child);
    }
    if (strcmp(way, "posix_spawn") == 0) {
        CHECK(posix_spawn(&child, path, NULL, NULL, arguments, environ) == 0);
        return status_of(child);
    }
    if (strcmp(way, "posix_spawnp") == 0) {
        CHECK(posix_spawnp(&child, path, NULL, NULL, arguments, environ) == 0);
        return status_of(child);
    }
    if (strcmp(way, "failing-posix_spawn") == 0) {
        CHECK(posix_spawn(&child, "/nonexistent/program", NULL, NULL, arguments, environ) ==
              ENOENT);
        return 44;
    }
    if (strcmp(way, "fork") == 0) {
        child = fork();
        if (child == 0) run_started(NULL);
        return status_of(child);
    }
    if (strcmp(way, "clone-vm") == 0) {
        static char stack[65536] __attribute__((aligned(16)));
        child = clone(run_started, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
        return status_of(child);
    }
    if (strcmp(way, "execveat") == 0) {
        child = fork();
        if (child == 0) {
            const int program = open(path, O_PATH | O_CLOEXEC);
            execveat(program, "", arguments, environ, AT_EMPTY_PATH);
            _exit(kCheckFailed);
        }
        return status_of(child);
    }
    char command[sizeof path + 16];
    snprintf(command, sizeof command, "'%s' started", path);
    if (strcmp(way, "system") == 0) return WEXITSTATUS(system(command));
    if (strcmp(way, "popen") == 0) {
        FILE* pipe = popen(command, "r");
        char line[100];
        CHECK(pipe && fgets(line, sizeof line, pipe));
        printf("read: %s", line);
        return WEXITSTATUS(pclose(pipe));
    }
    if (strcmp(way, "failing-exec") == 0) {
        CHECK(execl("/nonexistent/program", "program", (char*)NULL) == -1 && errno == ENOENT);
        return 44;
    }
    CHECK(strcmp(way, "exec") == 0);
    execv(path, arguments);
    return kCheckFailed;
}

int main(int argc, char** argv) {
    CHECK(argc == 2);
    if (strcmp(argv[1], "started") == 0) {
        churn(3, 8003);
        puts("started");
        return 33;
    }
    CHECK(readlink("/proc/self/exe", path, sizeof path - 1) > 0);
    churn(1, 8001);
    const int status = launch(argv[1]);
    churn(2, 8002);
    printf("%s: %d\n", argv[1], status);
    return 0;
}
