#include "puppet.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int kMostSteps = 64;

void request(int what, pid_t pid, void* address, void* data) {
    if (ptrace(static_cast<__ptrace_request>(what), pid, address, data) != -1) return;
    std::perror("relocation: ptrace");
    std::exit(77);
}

// syscall, sysenter, int could do anything with these registers; rdtsc, cpuid and rdrand never say
// the same twice.
bool leads_outside(const uint8_t* code) {
    if (code[0] == 0xcd) return true;
    if (code[0] != 0x0f) return false;
    return code[1] == 0x05 || code[1] == 0x34 || code[1] == 0x31 || code[1] == 0xa2 ||
           (code[1] == 0x01 && code[2] == 0xf9) || (code[1] == 0xc7 && code[2] >= 0xf0);
}

}  // namespace

Puppet::Puppet() : pid_(fork()) {
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
        raise(SIGSTOP);
        _exit(1);
    }
    int status = 0;
    if (pid_ < 0 || waitpid(pid_, &status, 0) != pid_ || !WIFSTOPPED(status)) {
        std::perror("relocation: no process can be traced here");
        std::exit(77);
    }
    request(PTRACE_SETOPTIONS, pid_, nullptr, reinterpret_cast<void*>(PTRACE_O_EXITKILL));
    request(PTRACE_GETREGS, pid_, nullptr, &first_);
    request(PTRACE_GETFPREGS, pid_, nullptr, &vectors_);
    first_.orig_rax = ~0ull;  // the system call that it was stopped in is over
    auto* words = reinterpret_cast<uint8_t*>(vectors_.xmm_space);
    for (size_t i = 0; i < sizeof(vectors_.xmm_space); ++i) words[i] = static_cast<uint8_t>(i * 7);
}

Puppet::~Puppet() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
}

Puppet::End Puppet::run(const user_regs_struct& registers, const HasLeft& has_left) {
    End end{};
    end.why = End::kUnfinished;
    user_regs_struct from = registers;
    request(PTRACE_SETREGS, pid_, nullptr, &from);
    request(PTRACE_SETFPREGS, pid_, nullptr, &vectors_);
    uint64_t rip = registers.rip;
    for (int step = 0; step < kMostSteps; ++step) {
        if (leads_outside(reinterpret_cast<const uint8_t*>(rip))) {
            end.why = End::kOutside;
            break;
        }
        request(PTRACE_SINGLESTEP, pid_, nullptr, nullptr);
        int status = 0;
        if (waitpid(pid_, &status, 0) != pid_ || !WIFSTOPPED(status)) {
            std::fprintf(stderr, "relocation: the stepped process has ended\n");
            std::exit(1);
        }
        if (WSTOPSIG(status) != SIGTRAP) {
            siginfo_t info{};
            request(PTRACE_GETSIGINFO, pid_, nullptr, &info);
            end.why = End::kFault;
            end.signal = info.si_signo;
            end.at_fault = reinterpret_cast<uint64_t>(info.si_addr);
            break;
        }
        const uint64_t now = static_cast<uint64_t>(
            ptrace(PTRACE_PEEKUSER, pid_, offsetof(user_regs_struct, rip), nullptr));
        if (has_left(rip, now)) {
            end.why = End::kLeft;
            break;
        }
        rip = now;
    }
    request(PTRACE_GETREGS, pid_, nullptr, &end.registers);
    request(PTRACE_GETFPREGS, pid_, nullptr, &end.vectors);
    return end;
}

bool Puppet::read(uint64_t address, void* bytes, size_t size) const {
    const iovec to = {bytes, size};
    const iovec from = {reinterpret_cast<void*>(address), size};
    return process_vm_readv(pid_, &to, 1, &from, 1, 0) == static_cast<ssize_t>(size);
}

bool Puppet::write(uint64_t address, const void* bytes, size_t size) const {
    const iovec from = {const_cast<void*>(bytes), size};
    const iovec to = {reinterpret_cast<void*>(address), size};
    return process_vm_writev(pid_, &from, 1, &to, 1, 0) == static_cast<ssize_t>(size);
}
