/*
 * change_root FOLDER: chroot there, chdir to its root, then allocates and frees 200,000 blocks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _DEFAULT_SOURCE
#include "program.h"

int main(int argc, char** argv) {
    CHECK(argc == 2);
    churn(100, 7101);
    if (chroot(argv[1]) != 0 || chdir("/") != 0) return 77;
    churn(200000, 7102);
    printf("root has %s/proc\n", access("/proc/self", F_OK) ? "no " : "");
    return 0;
}
