// A process that runs single instructions of any code, for the relocation check (relocation.cpp).
//
// It is a fork of its maker, so it has the same memory until one of its instructions writes there.
// Its own code never runs again: it is stopped, and only stepped from given registers.
#ifndef LASTREF_TESTS_PUPPET_H
#define LASTREF_TESTS_PUPPET_H

#include <sys/types.h>
#include <sys/user.h>

#include <cstdint>
#include <functional>

class Puppet {
public:
    // Ends the program with a message where the kernel forbids it.
    Puppet();
    ~Puppet();
    Puppet(const Puppet&) = delete;
    Puppet& operator=(const Puppet&) = delete;

    // Why it stands where it stands.
    struct End {
        enum Why { kLeft, kFault, kOutside, kUnfinished } why;
        user_regs_struct registers;
        user_fpregs_struct vectors;
        int signal;         // kFault
        uint64_t at_fault;  // kFault: the address that was accessed
    };
    // Steps from `registers` until `has_left(rip before, rip after)`, a fault, an instruction that
    // would enter the kernel or ask the processor for what changes, or 64 steps.
    using HasLeft = std::function<bool(uint64_t, uint64_t)>;
    End run(const user_regs_struct& registers, const HasLeft& has_left);

    // Registers as they were when it was made.
    const user_regs_struct& first_registers() const { return first_; }
    bool read(uint64_t address, void* bytes, size_t size) const;
    bool write(uint64_t address, const void* bytes, size_t size) const;

private:
    pid_t pid_;
    user_regs_struct first_{};
    user_fpregs_struct vectors_{};
};

#endif  // LASTREF_TESTS_PUPPET_H
