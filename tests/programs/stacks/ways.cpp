// The torture's ways through code of other kinds: coroutines, signal handlers, code without unwind
// tables, libc's callbacks, functions that keep anything but a frame in rbp.
//
// SPDX-License-Identifier: Apache-2.0
#include "ways.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "../process/program.h"

namespace {

constexpr size_t kStack = 512u << 10;

// The run that this thread is in, for code that is called without an argument of ours.
thread_local Context* present;
thread_local int present_depth;

// Nothing leaves through the caller's frame while this lives.
class Barrier {
public:
    explicit Barrier(Context& c, int depth) : c_(c), outer_(present), outer_depth_(present_depth) {
        c_.barriers++;
        present = &c;
        present_depth = depth;
    }
    ~Barrier() {
        present = outer_;
        present_depth = outer_depth_;
        c_.barriers--;
    }

private:
    Context& c_;
    Context* outer_;
    int outer_depth_;
};

thread_local ucontext_t* coroutine_caller;
thread_local ucontext_t* coroutine_self;

void run_coroutine() {
    Context& c = *present;
    const int depth = present_depth;
    c.allocate();
    call_any(c, depth);
    swapcontext(coroutine_self, coroutine_caller);
    c.allocate();
    call_any(c, depth);
}

unsigned char* code_page;
constexpr unsigned kCodes = 3;
constexpr size_t kCodeSize = 64;

int compare(const void* a, const void* b) {
    Context& c = *present;
    c.allocate();
    if (c.next(4) == 0) call_any(c, present_depth);
    const int left = *static_cast<const int*>(a), right = *static_cast<const int*>(b);
    return left < right ? -1 : left > right;
}

// A coroutine begun on the alternate stack must not let the kernel begin that stack anew.
thread_local bool on_alternate_stack;

void handle(int signal_number) {
    const bool before = on_alternate_stack;
    on_alternate_stack = before || signal_number == SIGUSR1;
    Context& c = *present;
    c.allocate();
    call_any(c, present_depth);
    on_alternate_stack = before;
}

extern "C" const char __executable_start[], etext[];  // the linker's

// Signals wait in some places of the library under test, and the trap's may not. So outside the
// program the stepping ends.
void handle_step(int, siginfo_t*, void* context) {
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    const auto pc = static_cast<uintptr_t>(registers[REG_RIP]);
    const bool in_program = (pc >= reinterpret_cast<uintptr_t>(__executable_start) &&
                             pc < reinterpret_cast<uintptr_t>(etext)) ||
                            pc - reinterpret_cast<uintptr_t>(code_page) < kCodes * kCodeSize;
    if (in_program) steps_left = steps_left - 1;
    if (!in_program || steps_left <= 0) registers[REG_EFL] &= ~0x100;
    void* block = malloc(32);
    asm volatile("" : "+r"(block) : : "memory");
    free(block);
}

thread_local Context storm_context;

void handle_storm(int) {
    Context& c = storm_context;
    if (c.made > 2000) return;
    c.barriers = 1;
    c.budget = 3;
    c.most_deep = 8;
    c.allocate();
    call_any(c, 0);
}

}  // namespace

// call_with(context, depth, rbp): calls call_from_odd_frame(context, depth) with that rbp, and
// describes it correctly in its unwind table.
asm(R"(
    .text
    .type call_with, @function
call_with:
    .cfi_startproc
    push %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    mov %rdx, %rbp
    call call_from_odd_frame
    pop %rbp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .size call_with, . - call_with
)");
extern "C" int call_with(Context& c, int depth, uintptr_t frame_pointer);
extern "C" __attribute__((used)) int call_from_odd_frame(Context& c, int depth) {
    c.allocate();
    return call_any(c, depth);
}

int call_with_odd_frame_pointer(Context& c, int depth) {
    // Garbage, the stack itself, somewhere else in it.
    const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    const uintptr_t values[] = {0,         1,       UINTPTR_MAX, here, here + 8 * c.next(64),
                                here - 64, here ^ 4};
    return call_with(c, depth, values[c.next(sizeof(values) / sizeof(*values))]);
}

int call_in_coroutine(Context& c, int depth) {
    const Barrier barrier(c, depth);
    const bool mapped = c.next(2) != 0;
    void* stack =
        mapped ? mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
               : malloc(kStack);
    CHECK(stack && stack != MAP_FAILED);
    ucontext_t caller, self;
    ucontext_t* const outer_caller = coroutine_caller;
    ucontext_t* const outer_self = coroutine_self;
    CHECK(getcontext(&self) == 0);
    self.uc_stack.ss_sp = stack;
    self.uc_stack.ss_size = kStack;
    self.uc_link = &caller;
    makecontext(&self, run_coroutine, 0);
    for (int turn = 0; turn < 2; turn++) {
        coroutine_caller = &caller;
        coroutine_self = &self;
        CHECK(swapcontext(&caller, &self) == 0);
        c.allocate();
    }
    coroutine_caller = outer_caller;
    coroutine_self = outer_self;
    if (mapped)
        CHECK(munmap(stack, kStack) == 0);
    else
        free(stack);
    return depth;
}

int call_in_handler(Context& c, int depth) {
    const Barrier barrier(c, depth);
    CHECK(raise(!on_alternate_stack && c.next(2) ? SIGUSR1 : SIGUSR2) == 0);
    return depth;
}

int call_in_code_without_tables(Context& c, int depth) {
    const Barrier barrier(c, depth);
    const unsigned most = c.made % 2 ? kCodes : 1;
    unsigned char* code = code_page + kCodeSize * c.next(most);
    return reinterpret_cast<Function>(reinterpret_cast<uintptr_t>(code))(c, depth);
}

int call_from_libc(Context& c, int depth) {
    const Barrier barrier(c, depth);
    int numbers[6];
    for (int& number : numbers) number = static_cast<int>(c.next(100));
    qsort(numbers, 6, sizeof(*numbers), compare);
    return numbers[0];
}

void leave_by_jump(Context& c) {
    longjmp(c.target->buffer, 1);
}

void prepare_ways() {
    code_page = static_cast<unsigned char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    CHECK(code_page != MAP_FAILED);
    // The target's address goes to `at`.
    const auto make = [](unsigned index, std::initializer_list<unsigned char> text, size_t at) {
        const auto target = reinterpret_cast<uintptr_t>(&call_from_odd_frame);
        memcpy(code_page + kCodeSize * index, text.begin(), text.size());
        memcpy(code_page + kCodeSize * index + at, &target, sizeof(target));
    };
    // push %rbp; mov %rsp, %rbp; movabs $target, %rax; call *%rax; pop %rbp; ret
    make(0, {0x55, 0x48, 0x89, 0xe5, 0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xd0, 0x5d, 0xc3},
         6);
    // sub $8, %rsp; movabs $target, %rax; call *%rax; add $8, %rsp; ret
    make(1, {0x48, 0x83, 0xec, 0x08, 0x48, 0xb8, 0,    0,    0,    0,   0,
             0,    0,    0,    0xff, 0xd0, 0x48, 0x83, 0xc4, 0x08, 0xc3},
         6);
    // push %rbp; mov $-1, %rbp; movabs $target, %rax; call *%rax; pop %rbp; ret
    make(2, {0x55, 0x48, 0xc7, 0xc5, 0xff, 0xff, 0xff, 0xff, 0x48, 0xb8, 0,
             0,    0,    0,    0,    0,    0,    0,    0xff, 0xd0, 0x5d, 0xc3},
         10);
    struct sigaction action = {};
    action.sa_handler = handle;
    action.sa_flags = SA_NODEFER | SA_ONSTACK;
    CHECK(sigaction(SIGUSR1, &action, nullptr) == 0);
    action.sa_flags = SA_NODEFER;
    CHECK(sigaction(SIGUSR2, &action, nullptr) == 0);
    action.sa_handler = handle_storm;
    action.sa_flags = SA_RESTART;
    CHECK(sigaction(SIGALRM, &action, nullptr) == 0);
}

volatile int steps_left;

void step_through(int instructions) {
    struct sigaction action = {};
    action.sa_sigaction = handle_step;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    CHECK(sigaction(SIGTRAP, &action, nullptr) == 0);
    steps_left = instructions;
}

AlternateStack::AlternateStack() : memory_(malloc(kStack)) {
    const stack_t stack = {memory_, 0, kStack};
    CHECK(sigaltstack(&stack, nullptr) == 0);
}

AlternateStack::~AlternateStack() {
    const stack_t none = {nullptr, SS_DISABLE, 0};
    CHECK(sigaltstack(&none, nullptr) == 0);
    free(memory_);
}
