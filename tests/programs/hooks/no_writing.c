/* Runs a program in hardened surroundings: 'files', where memory can't be written through a file
 * (pwrite64 fails); 'code', where nothing can be made executable but what is mapped from a file.
 * Usage: no_writing files|code PROGRAM [ARGUMENT...]. Status 77 where no filter can be installed. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(value, then, otherwise) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise)
#define IF_SET(bits, then, otherwise) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, then, otherwise)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define PROGRAM(filter) {sizeof(filter) / sizeof(filter[0]), filter}

int main(int count, char **arguments) {
    struct sock_filter files[] = {LOAD(nr), IF(SYS_pwrite64, 0, 1), REFUSE, ALLOW};
    struct sock_filter code[] = {
        LOAD(nr),
        IF(SYS_mmap, 0, 4),
        LOAD(args[2]),
        IF_SET(PROT_EXEC, 0, 5),
        LOAD(args[3]),
        IF_SET(MAP_ANONYMOUS, 4, 3),
        IF(SYS_mprotect, 0, 2),
        LOAD(args[2]),
        IF_SET(PROT_EXEC, 1, 0),
        ALLOW,
        REFUSE,
    };
    struct sock_fprog of_files = PROGRAM(files), of_code = PROGRAM(code);
    if (count < 3) return 2;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
              strcmp(arguments[1], "code") == 0 ? &of_code : &of_files) != 0) {
        return 77;
    }
    execvp(arguments[2], arguments + 2);
    return 127;
}
