/*
 * Where every hooked function's entry leads: its trampoline (hook_code.cpp) pushes the patch's index
 * and jumps here. Static, with true CFI, so that unwinders, exceptions and debuggers pass through.
 *
 * All general registers are kept: callers built with -fipa-ra rely on more than the ABI promises.
 * The handlers (hook_handler.cpp) use no others; before anything that may, lastref_hook_with_vectors
 * saves the vector registers. The upper halves of ymm registers are not kept there: only functions
 * that take __m256 arguments would miss them.
 *
 * HookFrame in hook_handler.cpp is this frame, from -176(%rbp) on:
 *   rax rdi rsi rdx rcx r8 r9 r10 r11 go_on returned returned_high ... | rbp index return-address
 */
        .text
        .set    FRAME, 176
        .set    GO_ON, 72 - FRAME
        .set    RETURNED, 80 - FRAME
        .set    WORDS, 96 - FRAME

.macro restore_registers
        movq    0-FRAME(%rbp), %rax
        movq    8-FRAME(%rbp), %rdi
        movq    16-FRAME(%rbp), %rsi
        movq    24-FRAME(%rbp), %rdx
        movq    32-FRAME(%rbp), %rcx
        movq    40-FRAME(%rbp), %r8
        movq    48-FRAME(%rbp), %r9
        movq    56-FRAME(%rbp), %r10
        movq    64-FRAME(%rbp), %r11
.endm

        .globl  lastref_hook_stub
        .hidden lastref_hook_stub
        .type   lastref_hook_stub, @function
        .p2align 4
lastref_hook_stub:
        .cfi_startproc
        .cfi_def_cfa_offset 16
        pushq   %rbp
        .cfi_def_cfa_offset 24
        .cfi_offset %rbp, -24
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        subq    $FRAME, %rsp
        movq    %rax, 0(%rsp)
        movq    %rdi, 8(%rsp)
        movq    %rsi, 16(%rsp)
        movq    %rdx, 24(%rsp)
        movq    %rcx, 32(%rsp)
        movq    %r8, 40(%rsp)
        movq    %r9, 48(%rsp)
        movq    %r10, 56(%rsp)
        movq    %r11, 64(%rsp)
        movq    %rsp, %rdi
        andq    $-16, %rsp
        call    lastref_hook_enter
        testl   %eax, %eax
        jne     1f

        /* On to the function, as if nobody had been here. */
        movq    GO_ON(%rbp), %rax
        movq    %rax, 8(%rbp)
        restore_registers
        .cfi_remember_state
        leave
        .cfi_def_cfa %rsp, 16
        .cfi_restore %rbp
        leaq    8(%rsp), %rsp
        .cfi_def_cfa_offset 8
        jmp     *-8(%rsp)               /* within the red zone */
        .cfi_restore_state

        /* Calls the function on a copy of its stack arguments, and comes back. */
1:      movq    WORDS(%rbp), %rcx
        leaq    15(,%rcx,8), %rax
        andq    $-16, %rax
        subq    %rax, %rsp
2:      testq   %rcx, %rcx
        je      3f
        movq    16(%rbp,%rcx,8), %rax
        movq    %rax, -8(%rsp,%rcx,8)
        decq    %rcx
        jmp     2b
3:      restore_registers
        call    *GO_ON(%rbp)
        movq    %rax, RETURNED(%rbp)
        movq    %rdx, RETURNED+8(%rbp)
        leaq    -FRAME(%rbp), %rsp
        andq    $-16, %rsp
        pushq   %rcx
        pushq   %rsi
        pushq   %rdi
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        pushq   %r11
        leaq    -FRAME(%rbp), %rdi
        call    lastref_hook_leave
        popq    %r11
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rdi
        popq    %rsi
        popq    %rcx
        movq    RETURNED(%rbp), %rax
        movq    RETURNED+8(%rbp), %rdx
        leave
        .cfi_def_cfa %rsp, 16
        .cfi_restore %rbp
        leaq    8(%rsp), %rsp
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        .size   lastref_hook_stub, . - lastref_hook_stub

/* void lastref_hook_with_vectors(void (*function)(void*), void* argument) */
        .globl  lastref_hook_with_vectors
        .hidden lastref_hook_with_vectors
        .type   lastref_hook_with_vectors, @function
        .p2align 4
lastref_hook_with_vectors:
        .cfi_startproc
        pushq   %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        subq    $256, %rsp
        andq    $-16, %rsp
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movaps  %xmm\n, 16*\n(%rsp)
        .endr
        movq    %rdi, %rax
        movq    %rsi, %rdi
        call    *%rax
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movaps  16*\n(%rsp), %xmm\n
        .endr
        leave
        .cfi_def_cfa %rsp, 8
        .cfi_restore %rbp
        ret
        .cfi_endproc
        .size   lastref_hook_with_vectors, . - lastref_hook_with_vectors

        .section .note.GNU-stack, "", @progbits
