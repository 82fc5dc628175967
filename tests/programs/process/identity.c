/*
 * Prints the real and effective user and whether anything was preloaded: for a set-uid copy.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "program.h"

int main(void) {
    churn(10, 7401);
    printf("user %d, effective %d, shim %s\n", (int)getuid(), (int)geteuid(),
           dlsym(RTLD_DEFAULT, "lastref_shim_active") ? "present" : "absent");
    return 0;
}
