/*
 * mmap, munmap and mremap: whole, in parts, over each other, growing in place and moving, from a
 * file, failing. Most are removed again; two mappings are left: 28 pages, and 7 of 9.
 * Printed are relations between addresses, never addresses.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "program.h"

enum { kPage = 4096 };

static char* map(size_t pages) {
    char* start =
        mmap(NULL, pages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(start != MAP_FAILED);
    start[0] = 1;
    return start;
}

int main(void) {
    /* Whole. */
    char* start = map(21);
    CHECK(munmap(start, 21 * kPage) == 0);

    /* In parts: the middle, the end, the start. */
    start = map(22);
    CHECK(munmap(start + 10 * kPage, 2 * kPage) == 0);
    CHECK(munmap(start + 12 * kPage, 10 * kPage) == 0);
    CHECK(munmap(start, 10 * kPage) == 0);

    /* Two neighbours, unmapped by one call. */
    start = map(23);
    CHECK(mmap(start, 11 * kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
          start);
    CHECK(munmap(start, 23 * kPage) == 0);

    /* MAP_FIXED over the middle of another; MAP_FIXED_NOREPLACE refused. */
    start = map(24);
    CHECK(mmap(start + 4 * kPage, 4 * kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
               0) == start + 4 * kPage);
    errno = 0;
    CHECK(mmap(start, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
          MAP_FAILED);
    printf("occupied: EEXIST %d\n", errno == EEXIST);
    CHECK(munmap(start, 24 * kPage) == 0);

    /* mremap: shrinks in place, moves where asked, keeps the old one with DONTUNMAP. */
    start = map(25);
    CHECK(mremap(start, 25 * kPage, 5 * kPage, 0) == start);
    char* target = map(26);
    char* moved = mremap(start, 5 * kPage, 26 * kPage, MREMAP_MAYMOVE | MREMAP_FIXED, target);
    printf("moved where asked: %d, content kept %d\n", moved == target, moved[0] == 1);
    errno = 0;
    CHECK(mremap(target + 1, kPage, 2 * kPage, 0) == MAP_FAILED);
    printf("misaligned: EINVAL %d\n", errno == EINVAL);
    CHECK(munmap(target, 26 * kPage) == 0);

    /* mremap that can't grow in place. */
    start = map(27);
    errno = 0;
    printf("no room: %d", mremap(start, 13 * kPage, 14 * kPage, 0) == MAP_FAILED);
    printf(" ENOMEM %d\n", errno == ENOMEM);
    CHECK(munmap(start, 27 * kPage) == 0);

    /* A file; msync and mprotect do not matter. */
    const int file = memfd_create("mappings", MFD_CLOEXEC);
    CHECK(ftruncate(file, 3 * kPage) == 0);
    start = mmap(NULL, 3 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(start != MAP_FAILED && close(file) == 0);
    strcpy(start, "shared");
    CHECK(mprotect(start, kPage, PROT_READ) == 0 && strcmp(start, "shared") == 0);
    CHECK(munmap(start, 3 * kPage) == 0);

    /* Refused. */
    errno = 0;
    printf("no such file: %d", mmap(NULL, kPage, PROT_READ, MAP_PRIVATE, 12345, 0) == MAP_FAILED);
    printf(" EBADF %d\n", errno == EBADF);
    errno = 0;
    printf("munmap misaligned: %d", munmap((void*)1, kPage));
    printf(" EINVAL %d\n", errno == EINVAL);

    /* These stay. */
    start = map(28);
    start = map(9);
    CHECK(munmap(start + 3 * kPage, 2 * kPage) == 0);
    return 0;
}
