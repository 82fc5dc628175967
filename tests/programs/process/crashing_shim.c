/*
 * Stands in for the shim: a library that crashes before a trace could be begun.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <signal.h>

__attribute__((constructor)) static void crash(void) {
    raise(SIGSEGV);
}
