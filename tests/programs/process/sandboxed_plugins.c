/*
 * sandboxed_plugins PAIRS: loads a library, confines itself by a seccomp filter, then loads and
 * unloads two libraries in turn, 100 times, and allocates 3,331 bytes in the first and 3,332 in the
 * second each time; half of the rounds before, half after PAIRS of malloc and free of 7,301 bytes.
 * The filter kills for whatever the loader and the allocator have no need of: anything that creates,
 * grows or shares a file, asks who or where the process is, looks into memory, or writes anywhere
 * but to standard output.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "program.h"

enum { kRounds = 100 };

#define KILL BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define ARGUMENT(n) \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + (n) * 8)
#define FORBID(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), KILL

static void confine(void) {
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        FORBID(process_vm_readv),
        FORBID(ftruncate),
        FORBID(fallocate),
        FORBID(fcntl),
        FORBID(dup),
        FORBID(getpid),
        FORBID(gettid),
        FORBID(getppid),
        FORBID(readlink),
        FORBID(readlinkat),
        FORBID(getcwd),
        FORBID(pwrite64),
        FORBID(msync),
        FORBID(madvise),
        FORBID(unlink),
        FORBID(nanosleep),
        FORBID(prlimit64),
        FORBID(tgkill),
        FORBID(open),
        /* openat: for reading */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 4),
        ARGUMENT(2),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_ACCMODE | O_CREAT, 0, 1),
        KILL,
        ALLOW,
        /* mmap: private */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 4),
        ARGUMENT(3),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_SHARED, 0, 1),
        KILL,
        ALLOW,
        /* write: to standard output */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 3),
        ARGUMENT(0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 1, 0),
        KILL,
        ALLOW,
    };
    const struct sock_fprog program = {sizeof(rules) / sizeof(*rules), rules};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void visit(const char* library, const char* function) {
    void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    CHECK(handle);
    void* (*allocate)(void) = (void* (*)(void))dlsym(handle, function);
    CHECK(allocate);
    free(kept(allocate()));
    CHECK(dlclose(handle) == 0);
}

static void visit_both(int rounds) {
    for (int i = 0; i < rounds; i++) {
        visit("libplugin_alpha.so", "alpha_allocate");
        visit("libplugin_beta.so", "beta_allocate");
    }
}

int main(int argc, char** argv) {
    CHECK(argc == 2);
    const long pairs = atol(argv[1]);
    setvbuf(stdout, NULL, _IONBF, 0);
    visit("libplugin_alpha.so", "alpha_allocate");
    confine();
    visit_both(kRounds / 2);
    churn(pairs, 7301);
    visit_both(kRounds / 2);
    printf("%d rounds\n", kRounds);
    return 0;
}
