/* Uses libkinds_refs.so, which it loads at run time.
 *
 * Usage: kinds use          ten lives, prints "done"
 *        kinds reload N     loads it, uses it for ten lives and unloads it, N times; prints how many
 *                           executable mappings belong to no file after each time
 *        kinds environment WORD...   prints its name, arguments and $KINDS
 *        kinds values N     N values, of which the first three are kept; prints "done"
 *        kinds wait         calls a function of the library that reads a line from stdin
 *        kinds confined     uses it, installs a seccomp filter that allows all, uses it again */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

static void *library;

static void *find(const char *name) {
    if (!library) library = dlopen("libkinds_refs.so", RTLD_NOW);
    void *found = library ? dlsym(library, name) : NULL;
    if (!found) {
        fprintf(stderr, "no %s\n", name);
        exit(1);
    }
    return found;
}

static void use(void) { ((void (*)(int))find("kinds_use"))(10); }

static int executable_mappings(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[4096];
    int count = 0;
    while (maps && fgets(line, sizeof(line), maps))
        count += strstr(line, " r-xp ") && !strchr(line, '/') && !strchr(line, '[');
    if (maps) fclose(maps);
    return count;
}

static int read_line(void) {
    char line[100];
    puts("waiting");
    fflush(stdout);
    return fgets(line, sizeof(line), stdin) != NULL;
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "";
    if (strcmp(what, "use") == 0) {
        use();
    } else if (strcmp(what, "environment") == 0) {
        const char *value = getenv("KINDS");
        printf("%s", program_invocation_short_name);
        for (int i = 1; i < count; i++) printf(" %s", arguments[i]);
        printf("\n%s\n", value ? value : "no environment");
    } else if (strcmp(what, "reload") == 0) {
        for (int times = count > 2 ? atoi(arguments[2]) : 1; times > 0; times--) {
            use();
            dlclose(library);
            library = NULL;
            printf("%d\n", executable_mappings());
        }
    } else if (strcmp(what, "values") == 0) {
        ((void (*)(int, int))find("kinds_values"))(count > 2 ? atoi(arguments[2]) : 1, 3);
    } else if (strcmp(what, "wait") == 0) {
        printf("%d\n", ((int (*)(int (*)(void)))find("kinds_wait"))(read_line));
    } else if (strcmp(what, "confined") == 0) {
        use();
        struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        struct sock_fprog program = {1, &allow};
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
            return 77;
        }
        use();
    } else {
        return 2;
    }
    puts("done");
    return 0;
}
