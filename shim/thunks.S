/*
 * Functions that must be entered as if nobody stood in between: they look at their caller's return
 * address or stack (vfork, clone, dlopen), take variable arguments (execl, syscall), or do not come
 * back (_exit, abort). Each saves the argument registers, calls a hook in interpose_process.cpp,
 * restores them and jumps to the real function, so that no frame of ours is left.
 *
 * The hooks find the caller seven pushes above their own frame (caller_through_thunk). None of
 * these functions takes floating-point arguments.
 */
        .text

/*
 * The real functions' addresses are looked up by find_real_functions(), which walks the table of
 * (name, slot) pairs in section lastref_thunks.
 */
.macro thunk name, hook
        .globl  \name
        .type   \name, @function
        .p2align 4
\name:
        .cfi_startproc
        endbr64
        pushq   %rdi
        .cfi_adjust_cfa_offset 8
        pushq   %rsi
        .cfi_adjust_cfa_offset 8
        pushq   %rdx
        .cfi_adjust_cfa_offset 8
        pushq   %rcx
        .cfi_adjust_cfa_offset 8
        pushq   %r8
        .cfi_adjust_cfa_offset 8
        pushq   %r9
        .cfi_adjust_cfa_offset 8
        pushq   %rax
        .cfi_adjust_cfa_offset 8
        call    \hook
        movq    real_\name(%rip), %r11
        popq    %rax
        .cfi_adjust_cfa_offset -8
        popq    %r9
        .cfi_adjust_cfa_offset -8
        popq    %r8
        .cfi_adjust_cfa_offset -8
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        popq    %rdx
        .cfi_adjust_cfa_offset -8
        popq    %rsi
        .cfi_adjust_cfa_offset -8
        popq    %rdi
        .cfi_adjust_cfa_offset -8
        jmp     *%r11
        .cfi_endproc
        .size   \name, . - \name

        slot    \name
.endm

.macro slot name
        .section .rodata
name_\name:
        .asciz  "\name"
        .data
        .p2align 3
real_\name:
        .quad   0
        .section lastref_thunks, "aw", @progbits
        .p2align 3
        .quad   name_\name, real_\name
        .text
.endm

thunk dlopen, lastref_before_dlopen
thunk vfork, lastref_before_fork
thunk clone, lastref_before_fork
thunk execl, lastref_before_exec
thunk execle, lastref_before_exec
thunk execlp, lastref_before_exec
thunk execv, lastref_before_exec
thunk execve, lastref_before_exec
thunk execvp, lastref_before_exec
thunk execvpe, lastref_before_exec
thunk fexecve, lastref_before_fexec
thunk execveat, lastref_before_fexec
thunk _exit, lastref_before_exit
thunk _Exit, lastref_before_exit
thunk quick_exit, lastref_before_exit
thunk abort, lastref_before_abort

/* syscall(SYS_seccomp, ...) needs to be known, before and after; all else passes untouched. */
        .globl  syscall
        .type   syscall, @function
        .p2align 4
syscall:
        .cfi_startproc
        endbr64
        cmpq    $317, %rdi
        je      lastref_seccomp
        movq    real_syscall(%rip), %r11
        testq   %r11, %r11
        je      lastref_early_syscall
        jmp     *%r11
        .cfi_endproc
        .size   syscall, . - syscall
        slot    syscall

        .section .note.GNU-stack, "", @progbits
