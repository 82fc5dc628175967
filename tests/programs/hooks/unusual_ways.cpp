// Ways out of a hooked function that are no return: an exception, longjmp, pthread_exit, another
// stack; a fork and a signal inside one; and a coroutine that goes on in another thread. Prints
// what each did, the same with hooks and without.
#include <pthread.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include <coroutine>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <stdexcept>

static jmp_buf back;
static ucontext_t main_context, other_context;
static char other_stack[256 << 10];
static volatile int signals;

// Hooked at its return, with arguments in registers, on the stack and in vector registers.
extern "C" __attribute__((noinline)) double way_out(int way, double a, float b, long c, long d,
                                                    long e, long f, long g, long h, long i,
                                                    double last) {
    switch (way) {
        case 1:
            throw std::runtime_error("thrown");
        case 2:
            std::longjmp(back, 7);
        case 3:
            pthread_exit(reinterpret_cast<void*>(5L));
        case 4:
            swapcontext(&other_context, &main_context);
            break;
        case 5:
            raise(SIGUSR1);
            break;
        case 6: {
            const pid_t child = fork();
            if (child == 0) _exit(static_cast<int>(g + h));
            int status = 0;
            waitpid(child, &status, 0);
            return WEXITSTATUS(status);
        }
        default:
            break;
    }
    return a + b + static_cast<double>(c + d * 2 + e * 3 + f * 4 + g * 5 + h * 6 + i * 7) + last;
}

static double call(int way) {
    return way_out(way, 0.5, 0.25f, 1, 2, 3, 4, 5, 6, 7, 1000);
}
static void* in_thread(void*) {
    call(3);
    return nullptr;
}
static void on_other_stack() {
    std::printf("other stack %.2f\n", call(4));
    swapcontext(&other_context, &main_context);
}
static void on_signal(int) {
    signals = signals + static_cast<int>(call(0));
}

struct Walk {
    struct promise_type {
        double value = 0;
        Walk get_return_object() {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(double given) {
            value = given;
            return {};
        }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
    std::coroutine_handle<promise_type> handle;
};
static Walk walk() {
    co_yield call(0);
    double caught = 0;
    try {
        call(1);
    } catch (const std::exception&) {
        caught = 1;
    }
    co_yield caught;
}
static void* resume_walk(void* walk) {
    static_cast<Walk*>(walk)->handle.resume();
    return nullptr;
}
static void in_a_coroutine() {
    Walk one = walk();
    one.handle.resume();
    std::printf("coroutine %.2f", one.handle.promise().value);
    pthread_t thread;
    pthread_create(&thread, nullptr, resume_walk, &one);
    pthread_join(thread, nullptr);
    std::printf(", then %.2f\n", one.handle.promise().value);
    one.handle.destroy();
}

int main() {
    std::signal(SIGUSR1, on_signal);
    for (int round = 0; round < 3; round++) {
        std::printf("return %.2f\n", call(0));
        try {
            call(1);
        } catch (const std::exception& error) {
            std::printf("%s\n", error.what());
        }
        if (const int value = setjmp(back)) {
            std::printf("jumped %d\n", value);
        } else {
            call(2);
        }
        pthread_t thread;
        void* result = nullptr;
        pthread_create(&thread, nullptr, in_thread, nullptr);
        pthread_join(thread, &result);
        std::printf("thread %ld\n", reinterpret_cast<long>(result));
        getcontext(&other_context);
        other_context.uc_stack = {other_stack, 0, sizeof(other_stack)};
        other_context.uc_link = &main_context;
        makecontext(&other_context, on_other_stack, 0);
        swapcontext(&main_context, &other_context);
        swapcontext(&main_context, &other_context);
        std::printf("signal %.2f, %d\n", call(5), signals);
        std::printf("child %.0f\n", call(6));
        in_a_coroutine();
    }
}
