// System calls without libc: they leave errno alone, pass no interposer of ours, take no lock and
// are no cancellation points. A result in [-4095, -1] is a negated errno, as the kernel gives it.
#ifndef LASTREF_SHIM_RAW_SYSCALL_H
#define LASTREF_SHIM_RAW_SYSCALL_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

namespace lastref::raw {

inline long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                 long f = 0) {
    register long r10 asm("r10") = d;
    register long r8 asm("r8") = e;
    register long r9 asm("r9") = f;
    long result;
    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}

inline bool failed(long result) {
    return result < 0 && result >= -4095;
}

inline int open(const char* path, int flags, int mode) {
    return static_cast<int>(call(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path), flags, mode));
}
inline void close(int fd) {
    call(SYS_close, fd);
}
inline long read(int fd, void* buffer, size_t size) {
    return call(SYS_read, fd, reinterpret_cast<long>(buffer), static_cast<long>(size));
}
inline void write(int fd, const void* buffer, size_t size) {
    call(SYS_write, fd, reinterpret_cast<long>(buffer), static_cast<long>(size));
}
// nullptr on failure.
inline void* map(size_t size, int protection, int flags, int fd, uint64_t offset) {
    const long result = call(SYS_mmap, 0, static_cast<long>(size), protection, flags, fd,
                             static_cast<long>(offset));
    return failed(result) ? nullptr : reinterpret_cast<void*>(result);
}
inline void unmap(void* address, size_t size) {
    call(SYS_munmap, reinterpret_cast<long>(address), static_cast<long>(size));
}
// UINT64_MAX, which is RLIM64_INFINITY, where there is none or the kernel does not say.
inline uint64_t soft_limit(int resource) {
    uint64_t limits[2];  // struct rlimit64
    return failed(call(SYS_prlimit64, 0, resource, 0, reinterpret_cast<long>(limits))) ? UINT64_MAX
                                                                                       : limits[0];
}
inline int32_t process_id() {
    return static_cast<int32_t>(call(SYS_getpid));
}
inline int32_t thread_id() {
    return static_cast<int32_t>(call(SYS_gettid));
}

}  // namespace lastref::raw

#endif  // LASTREF_SHIM_RAW_SYSCALL_H
