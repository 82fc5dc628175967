/*
 * lastref.h: reports your own reference-counted buffers to lastref.
 *
 * Header only, C11 and C++. Nothing to link. Safe to leave in production builds: when the
 * program does not run under liblastref.so each call is one load and one test of a weak symbol.
 *
 * Where to call:
 *   lastref_create   after the buffer exists, with count 1
 *   lastref_retain   after the increment of the counter
 *   lastref_release  before the decrement of the counter; the release that brings the count to
 *                    zero ends the buffer's life
 *   lastref_destroy  before the buffer is freed or handed back to its pool, where no release
 *                    says so
 * These orders matter when another thread can free or reuse the buffer at once.
 *
 * All functions may be called from any thread, from signal handlers and before main(). They
 * never fail, never block on another process, keep errno, and never read the buffer's contents.
 * `type`, `hint` and `phase` are NUL-terminated, at most 255 bytes are kept, and they need to
 * outlive the call only; NULL counts as "". A NULL `buf` is ignored.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LASTREF_LASTREF_H
#define LASTREF_LASTREF_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Defined by liblastref.so and called by this header. A program never calls these directly.
   access(none): the functions take an address and never look behind it. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define LASTREF_ADDRESS_ONLY(n) __attribute__((access(none, n)))
#else
#define LASTREF_ADDRESS_ONLY(n)
#endif
#define LASTREF_SHIM_FUNCTION __attribute__((weak, visibility("default"))) extern

LASTREF_SHIM_FUNCTION LASTREF_ADDRESS_ONLY(1) void lastref_shim_create(const void* buf, size_t size,
                                                                       const char* type);
LASTREF_SHIM_FUNCTION LASTREF_ADDRESS_ONLY(1) void lastref_shim_retain(const void* buf);
LASTREF_SHIM_FUNCTION LASTREF_ADDRESS_ONLY(1) void lastref_shim_release(const void* buf);
LASTREF_SHIM_FUNCTION LASTREF_ADDRESS_ONLY(1) void lastref_shim_touch(const void* buf,
                                                                      const char* hint);
LASTREF_SHIM_FUNCTION LASTREF_ADDRESS_ONLY(1) void lastref_shim_count(const void* buf, long count);
LASTREF_SHIM_FUNCTION LASTREF_ADDRESS_ONLY(1)
    LASTREF_ADDRESS_ONLY(2) void lastref_shim_move(const void* from, const void* to);
LASTREF_SHIM_FUNCTION LASTREF_ADDRESS_ONLY(1) void lastref_shim_destroy(const void* buf);
LASTREF_SHIM_FUNCTION void lastref_shim_mark(const char* phase);
LASTREF_SHIM_FUNCTION int lastref_shim_active(void);

/* The address of a shim function, or NULL. On x86-64 it is loaded from the global offset table by
   hand: in a program linked without -fPIE the compiler's own test of a weak symbol is settled as
   'absent' by the linker, before anybody can preload anything. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define LASTREF_FIND(function, pointer) \
    __asm__(".weak " #function "\n\tmovq " #function "@GOTPCREL(%%rip), %0" : "=r"(pointer))
#else
#define LASTREF_FIND(function, pointer) ((pointer) = (function))
#endif

/* Calls `function` with the arguments that follow where the shim is present. Inlined, so that the
   caller's own frame is the innermost one of the recorded stack. */
#define LASTREF_CALL_IF_PRESENT(function, ...)                 \
    do {                                                       \
        __typeof__(&function) lastref_function_;               \
        LASTREF_FIND(function, lastref_function_);             \
        if (lastref_function_) lastref_function_(__VA_ARGS__); \
    } while (0)
#define LASTREF_INLINE static inline __attribute__((always_inline, unused))

/* A buffer of `size` bytes and type name `type` was created; its count is 1. */
LASTREF_INLINE LASTREF_ADDRESS_ONLY(1) void lastref_create(const void* buf, size_t size,
                                                           const char* type) {
    LASTREF_CALL_IF_PRESENT(lastref_shim_create, buf, size, type);
}
/* Count + 1. Call after the increment. */
LASTREF_INLINE LASTREF_ADDRESS_ONLY(1) void lastref_retain(const void* buf) {
    LASTREF_CALL_IF_PRESENT(lastref_shim_retain, buf);
}
/* Count - 1. Call before the decrement. */
LASTREF_INLINE LASTREF_ADDRESS_ONLY(1) void lastref_release(const void* buf) {
    LASTREF_CALL_IF_PRESENT(lastref_shim_release, buf);
}
/* An access that leaves the count alone; `hint` appears in the buffer's history. */
LASTREF_INLINE LASTREF_ADDRESS_ONLY(1) void lastref_touch(const void* buf, const char* hint) {
    LASTREF_CALL_IF_PRESENT(lastref_shim_touch, buf, hint);
}
/* The value of the buffer's true counter now, where it is at hand. */
LASTREF_INLINE LASTREF_ADDRESS_ONLY(1) void lastref_count(const void* buf, long count) {
    LASTREF_CALL_IF_PRESENT(lastref_shim_count, buf, count);
}
/* `from` may have been ended by realloc(): here it is an address only. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuse-after-free"
#endif
/* The same buffer lives at a new address. Call after the move. */
LASTREF_INLINE LASTREF_ADDRESS_ONLY(1)
    LASTREF_ADDRESS_ONLY(2) void lastref_move(const void* from, const void* to) {
    LASTREF_CALL_IF_PRESENT(lastref_shim_move, from, to);
}
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#pragma GCC diagnostic pop
#endif
/* The buffer ends: freed without counting, or back in its pool. Call before it happens. */
LASTREF_INLINE LASTREF_ADDRESS_ONLY(1) void lastref_destroy(const void* buf) {
    LASTREF_CALL_IF_PRESENT(lastref_shim_destroy, buf);
}
/* A phase of the program begins: 'warm-up', 'steady', 'shutdown'. */
LASTREF_INLINE void lastref_mark(const char* phase) {
    LASTREF_CALL_IF_PRESENT(lastref_shim_mark, phase);
}
/* 1 while the shim records this process, else 0. */
LASTREF_INLINE int lastref_active(void) {
    int (*active)(void);
    LASTREF_FIND(lastref_shim_active, active);
    return active ? active() : 0;
}

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* LASTREF_LASTREF_H */
