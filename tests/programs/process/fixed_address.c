/*
 * Linked at a fixed address, with the address of malloc in its code: then the linker makes the
 * program's own jump-table entry the address of malloc for every module, by a symbol that is
 * undefined but has a value. The program defines no malloc for all that.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "program.h"

int main(void) {
    void* (*volatile allocate)(size_t) = malloc;
    void (*volatile release)(void*) = free;
    for (int i = 0; i < 100; i++) release(kept(allocate(4101)));
    puts("allocated through a pointer");
    return 0;
}
