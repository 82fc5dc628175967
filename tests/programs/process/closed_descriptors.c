/*
 * closed_descriptors WAY FOLDER: closes every descriptor but 1 ('loop', 'closefrom', 'close_range',
 * 'dup2': other files are put over those below 8,192, 'dup2-all': over all), then opens files until
 * a hundred numbers are taken, which are printed; allocates a lot; and shows that nobody wrote to
 * those files.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "program.h"

enum { kFiles = 100, kPairs = 300000 };

int main(int argc, char** argv) {
    CHECK(argc == 3);
    const char* way = argv[1];
    churn(1000, 6901);
    CHECK(dup2(1, 0) == 0);
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const int over = strncmp(way, "dup2", 4) == 0;
    const int highest = limit.rlim_cur > 20000 ? 20000 : (int)limit.rlim_cur;
    if (strcmp(way, "loop") == 0) {
        for (int i = 2; i < highest; i++) close(i);
    } else if (strcmp(way, "closefrom") == 0) {
        closefrom(2);
    } else if (strcmp(way, "close_range") == 0) {
        CHECK(close_range(2, ~0U, 0) == 0);
    }
    int files[kFiles];
    for (int i = 0; i < kFiles; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%d", argv[2], i);
        files[i] = open(path, O_CREAT | O_RDWR | O_TRUNC, 0600);
        CHECK(files[i] >= 0 && write(files[i], "mine", 4) == 4);
        if (!over) printf("%d ", files[i]);
    }
    if (over) /* over everything that is not ours, whatever it was */
        for (int i = 3; i < (strcmp(way, "dup2") == 0 && highest > 8192 ? 8192 : highest); i++)
            if (i < files[0] || i > files[kFiles - 1]) CHECK(dup2(files[i % kFiles], i) == i);
    churn(kPairs, 6902);
    int whole = 0;
    for (int i = 0; i < kFiles; i++) {
        struct stat status;
        char text[4];
        CHECK(fstat(files[i], &status) == 0);
        whole +=
            status.st_size == 4 && pread(files[i], text, 4, 0) == 4 && memcmp(text, "mine", 4) == 0;
    }
    printf("\n%d files as we left them\n", whole);
    return 0;
}
