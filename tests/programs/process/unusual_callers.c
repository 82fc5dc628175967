/*
 * malloc called where a stack can't be walked by the rules: with rbp full of garbage, from code
 * made at run time that no module and no unwind table knows, from such code with a garbage return
 * address above it (once the very begin of a module, which follows nothing that can be read), and
 * from a stack that was switched by hand. 6,701 to 6,705 bytes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdint.h>
#include <sys/mman.h>

#include "program.h"

typedef void* (*Allocate)(size_t);

/* allocate(size) with rbp set to `garbage`. */
__attribute__((noinline)) static void* with_frame_pointer(Allocate allocate, size_t size,
                                                          uintptr_t garbage) {
    void* block;
    __asm__ volatile(
        "pushq %%rbp\n\t"
        "movq %%rsp, %%rbx\n\t"
        "subq $128, %%rsp\n\t"
        "andq $-16, %%rsp\n\t"
        "movq %2, %%rbp\n\t"
        "callq *%%rax\n\t"
        "movq %%rbx, %%rsp\n\t"
        "popq %%rbp\n\t"
        : "=a"(block), "+D"(size)
        : "r"(garbage), "0"(allocate)
        : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
    return block;
}

/* malloc(size) with the stack pointer at the top of `stack`, where the words above are garbage. */
__attribute__((noinline)) static void* malloc_on_stack(size_t size, char* stack_top) {
    void* block;
    __asm__ volatile(
        "movq %%rsp, %%rbx\n\t"
        "movq %2, %%rsp\n\t"
        "callq *%3\n\t"
        "movq %%rbx, %%rsp\n\t"
        : "=a"(block), "+D"(size)
        : "r"(stack_top), "r"((void* (*)(size_t))malloc)
        : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
    return block;
}

/* sub $8,%rsp; movabs $malloc,%rax; call *%rax; add $8,%rsp; ret */
static Allocate make_plain_code(unsigned char* code) {
    const uintptr_t target = (uintptr_t)malloc;
    unsigned char text[] = {0x48, 0x83, 0xec, 0x08, 0x48, 0xb8, 0,    0,    0,    0,   0,
                            0,    0,    0,    0xff, 0xd0, 0x48, 0x83, 0xc4, 0x08, 0xc3};
    memcpy(text + 6, &target, sizeof target);
    memcpy(code, text, sizeof text);
    return (Allocate)(void*)code;
}

/* push %rbp; mov $-1,%rbp; movabs $malloc,%rax; push $0x1234; push $0x5678; call; add; pop; ret */
static Allocate make_garbled_code(unsigned char* code) {
    const uintptr_t target = (uintptr_t)malloc;
    unsigned char text[] = {0x55,                                     /* push rbp */
                            0x48, 0xc7, 0xc5, 0xff, 0xff, 0xff, 0xff, /* mov rbp, -1 */
                            0x48, 0xb8, 0,    0,    0,    0,    0,    0,
                            0,    0,    0x68, 0x34, 0x12, 0x00, 0x00, /* push 0x1234 */
                            0x68, 0x78, 0x56, 0x00, 0x00,             /* push 0x5678 */
                            0xff, 0xd0,                               /* call rax */
                            0x48, 0x83, 0xc4, 0x10,                   /* add rsp, 16 */
                            0x5d, 0xc3};
    memcpy(text + 10, &target, sizeof target);
    memcpy(code, text, sizeof text);
    return (Allocate)(void*)code;
}

int main(void) {
    static const uintptr_t garbage[] = {
        0, 1, 8, 0xdeadbeef, 0x7fffffffffff, UINTPTR_MAX, 0x8000000000000000};
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++)
        free(kept(with_frame_pointer(malloc, 6701, garbage[i])));

    unsigned char* code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(code != MAP_FAILED);
    const Allocate plain = make_plain_code(code);
    const Allocate garbled = make_garbled_code(code + 1024);
    for (int i = 0; i < 5; i++) {
        free(kept(plain(6702)));
        free(kept(garbled(6703)));
    }

    extern const char __ehdr_start[]; /* nothing is mapped below the program */
    volatile uintptr_t frame[2] = {0, (uintptr_t)__ehdr_start};
    free(kept(with_frame_pointer(plain, 6705, (uintptr_t)frame)));

    /* A page that ends at an unmapped one: walking up from here must not read past it. */
    char* stack = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(stack != MAP_FAILED);
    char* top = stack + (1 << 20) - 4096;
    CHECK(munmap(top, 4096) == 0);
    memset(stack, 0x41, (1 << 20) - 4096);
    free(kept(malloc_on_stack(6704, top)));
    memset(stack, 0, (1 << 20) - 4096);
    free(kept(malloc_on_stack(6704, top - 64)));
    puts("allocated by unusual callers");
    return 0;
}
