/* Each function of the heap asked for more than there is, and calls that are refused for another
 * reason than memory.
 *
 * Truth: huge_requests() gets null from reallocarray twice, and from posix_memalign, aligned_alloc,
 * memalign, valloc and pvalloc once each: 7 failures, each named after its function. What
 * wrong_requests() asks for has an alignment, flags, a length or a descriptor that can't be: no
 * memory is missing. Status 0. */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define FRAME __attribute__((noinline, noclone))

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* Read at run time, or the compiler would know better. */
static volatile size_t huge = PTRDIFF_MAX - 65536;
static volatile size_t no_alignment = SIZE_MAX / 2 + 2;
static void* volatile memory;

FRAME static int huge_requests(void) {
    int failed = 0;
    failed += !(memory = reallocarray(NULL, huge, 16));
    failed += !(memory = reallocarray(NULL, huge, 1));
    void* aligned = NULL;
    failed += posix_memalign(&aligned, 64, huge) == ENOMEM;
    failed += !(memory = aligned_alloc(64, huge));
    failed += !(memory = memalign(64, huge));
    failed += !(memory = valloc(huge));
    failed += !(memory = pvalloc(huge));
    return failed;
}

FRAME static int wrong_requests(void) {
    int refused = 0;
    void* aligned = NULL;
    refused += posix_memalign(&aligned, 3, 64) == EINVAL;
    refused += !(memory = memalign(no_alignment, 64)) && errno == EINVAL;
    refused += mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
    refused += mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0) == MAP_FAILED && errno == EBADF;
    refused += mremap((void*)4096, 4096, 8192, MREMAP_FIXED) == MAP_FAILED && errno == EINVAL;
    return refused;
}

int main(void) {
    printf("%d failed, %d refused\n", huge_requests(), wrong_requests());
    return 0;
}
