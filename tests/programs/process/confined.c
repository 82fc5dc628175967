/*
 * confined WAY: takes something away from itself, then allocates and frees 300,000 blocks of 7,301
 * bytes, starts a thread that does the same with 1,000 of 7,302, and prints 'done'. WAY is 'none',
 * 'fsize' (RLIMIT_FSIZE 0), 'as' (RLIMIT_AS: 4 MiB above what is mapped), 'nofile' (RLIMIT_NOFILE
 * 3), 'chdir' (to /), 'folder-gone' (its working directory removed: FOLDER), 'setuid' (to nobody),
 * 'openat-errno', 'openat-kill' (seccomp by prctl), 'openat-errno-call', 'openat-kill-call' (by the
 * seccomp system call), 'openat-trap' (SIGSYS), 'files-kill' (open, openat, ftruncate, fallocate
 * and mmap of a file kill), 'no-tsc' (the time-stamp counter faults), 'strict' (nothing but read,
 * write and exit; 1,000 blocks, no thread).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "program.h"

static void install(const struct sock_filter* rules, size_t count, int by_call) {
    const struct sock_fprog program = {(unsigned short)count, (struct sock_filter*)rules};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (by_call)
        CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
    else
        CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

#define NUMBER_OF_CALL BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define ANSWER(call, action) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, action)
#define LENGTH(array) (sizeof(array) / sizeof *(array))

static void forbid_openat(unsigned action, int by_call) {
    const struct sock_filter rules[] = {
        NUMBER_OF_CALL,
        ANSWER(openat, action),
        ANSWER(open, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    install(rules, LENGTH(rules), by_call);
}

static void forbid_files(void) {
    const unsigned kill = SECCOMP_RET_KILL_PROCESS;
    const struct sock_filter rules[] = {
        NUMBER_OF_CALL,
        ANSWER(openat, kill),
        ANSWER(open, kill),
        ANSWER(ftruncate, kill),
        ANSWER(fallocate, kill),
        ANSWER(dup, kill),
        ANSWER(fcntl, kill),
        ANSWER(close, kill),
        ANSWER(getpid, kill),
        ANSWER(gettid, kill),
        ANSWER(readlink, kill),
        ANSWER(msync, kill),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[4])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xffffffff, 1, 0), /* fd -1: anonymous */
        BPF_STMT(BPF_RET | BPF_K, kill),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    install(rules, LENGTH(rules), 0);
}

static long address_space(void) {
    long pages = 0;
    FILE* file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%ld", &pages) == 1);
    fclose(file);
    return pages * 4096;
}

static void limit(int resource, long value) {
    const struct rlimit limits = {(rlim_t)value, (rlim_t)value};
    CHECK(setrlimit(resource, &limits) == 0);
}

static void on_forbidden(int signal_number) {
    (void)signal_number;
}

static void* work(void* unused) {
    churn(1000, 7302);
    return unused;
}

int main(int argc, char** argv) {
    CHECK(argc >= 2);
    const char* way = argv[1];
    churn(1000, 7300);
    /* The C library's own preparations, so that it needs no more of what is taken away. */
    setvbuf(stdout, NULL, _IONBF, 0);
    pthread_t thread;
    pthread_attr_t small;
    CHECK(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, 1 << 18) == 0);
    CHECK(pthread_create(&thread, &small, work, NULL) == 0 && pthread_join(thread, NULL) == 0);

    if (strcmp(way, "fsize") == 0)
        limit(RLIMIT_FSIZE, 0);
    else if (strcmp(way, "as") == 0)
        limit(RLIMIT_AS, address_space() + (4 << 20));
    else if (strcmp(way, "nofile") == 0)
        limit(RLIMIT_NOFILE, 3);
    else if (strcmp(way, "chdir") == 0)
        CHECK(chdir("/") == 0);
    else if (strcmp(way, "folder-gone") == 0)
        CHECK(argc == 3 && chdir(argv[2]) == 0 && rmdir(argv[2]) == 0);
    else if (strcmp(way, "setuid") == 0)
        CHECK(setgid(65534) == 0 && setuid(65534) == 0);
    else if (strcmp(way, "openat-errno") == 0)
        forbid_openat(SECCOMP_RET_ERRNO | EPERM, 0);
    else if (strcmp(way, "openat-kill") == 0)
        forbid_openat(SECCOMP_RET_KILL_PROCESS, 0);
    else if (strcmp(way, "openat-errno-call") == 0)
        forbid_openat(SECCOMP_RET_ERRNO | EPERM, 1);
    else if (strcmp(way, "openat-kill-call") == 0)
        forbid_openat(SECCOMP_RET_KILL_PROCESS, 1);
    else if (strcmp(way, "openat-trap") == 0) {
        signal(SIGSYS, on_forbidden);
        forbid_openat(SECCOMP_RET_TRAP, 0);
    } else if (strcmp(way, "files-kill") == 0)
        forbid_files();
    else if (strcmp(way, "no-tsc") == 0)
        CHECK(prctl(PR_SET_TSC, PR_TSC_SIGSEGV) == 0);
    else if (strcmp(way, "strict") == 0) {
        CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
        churn(1000, 7301);
        CHECK(write(1, "done\n", 5) == 5);
        syscall(SYS_exit, 0);
    } else
        CHECK(strcmp(way, "none") == 0);

    churn(300000, 7301);
    CHECK(pthread_create(&thread, &small, work, NULL) == 0 && pthread_join(thread, NULL) == 0);
    puts("done");
    return 0;
}
