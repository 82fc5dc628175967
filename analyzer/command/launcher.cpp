#include "command/launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>

namespace lastref {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kTermToKill(10);

constexpr int kForwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

// The signal state that the program is to inherit, put aside while we wait with another one:
// the signals of interest are blocked and taken by sigwaitinfo, so there are no handlers.
class SignalWatch {
public:
    SignalWatch() {
        sigemptyset(&watched_);
        for (int signal : kForwarded) {
            struct sigaction action;
            // A signal that our parent had us ignore (nohup) stays ignored, here and in the
            // program.
            if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN)
                sigaddset(&watched_, signal);
        }
        // With SIGCHLD ignored the kernel would throw the exit status away.
        struct sigaction keep_status = {};
        keep_status.sa_handler = SIG_DFL;
        sigaction(SIGCHLD, &keep_status, &inherited_child_action_);
        sigaddset(&watched_, SIGCHLD);
        sigprocmask(SIG_BLOCK, &watched_, &inherited_mask_);
    }
    ~SignalWatch() { restore(); }
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

    // In the child: async-signal-safe.
    void restore() const {
        sigaction(SIGCHLD, &inherited_child_action_, nullptr);
        sigprocmask(SIG_SETMASK, &inherited_mask_, nullptr);
    }

    // Waits for a child to change state, passing signals on to it meanwhile; no longer than until
    // `deadline`. Returns the signal, -1 where there was none in time.
    int wait_for_child(pid_t child, std::optional<Clock::time_point> deadline) const {
        siginfo_t info = {};
        int signal;
        if (deadline) {
            const auto left = std::max(Clock::duration::zero(), *deadline - Clock::now());
            const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
            const timespec wait{ns / 1'000'000'000, ns % 1'000'000'000};
            signal = sigtimedwait(&watched_, &info, &wait);
        } else {
            signal = sigwaitinfo(&watched_, &info);
        }
        bool is_from_terminal = info.si_code == SI_KERNEL;
        // `child` is not reaped yet, so its id can't belong to another process.
        if (signal > 0 && signal != SIGCHLD && !is_from_terminal) kill(child, signal);
        return signal;
    }

private:
    sigset_t watched_;
    sigset_t inherited_mask_;
    struct sigaction inherited_child_action_;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
    result.push_back(nullptr);
    return result;
}

}  // namespace

ChildEnd launch_and_wait(const Launch& launch) {
    ChildEnd end;
    std::vector<char*> arguments = pointers(launch.arguments);
    std::vector<char*> environment = pointers(launch.environment);
    int failure[2];  // carries exec's errno; closes by itself when exec works
    if (pipe2(failure, O_CLOEXEC) != 0) {
        end.error = errno;
        return end;
    }
    SignalWatch signals;
    pid_t child = fork();
    if (child == 0) {
        signals.restore();
        execve(launch.path.c_str(), arguments.data(), environment.data());
        int error = errno;
        ssize_t written = write(failure[1], &error, sizeof error);
        _exit(written == sizeof error ? 127 : 126);
    }
    if (child < 0) end.error = errno;
    close(failure[1]);
    int error = 0;
    if (child > 0 && TEMP_FAILURE_RETRY(read(failure[0], &error, sizeof error)) == sizeof error)
        end.error = error;
    close(failure[0]);
    if (child < 0) return end;

    end.pid = child;
    int status = 0;
    pid_t ended;
    std::optional<Clock::time_point> deadline;
    if (launch.timeout != 0) deadline = Clock::now() + std::chrono::seconds(launch.timeout);
    while ((ended = waitpid(child, &status, WNOHANG)) == 0 || (ended < 0 && errno == EINTR)) {
        const int signal = signals.wait_for_child(child, deadline);
        if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT)
            end.received = signal;
        if (deadline && Clock::now() >= *deadline) {
            kill(child, end.timed_out ? SIGKILL : SIGTERM);
            end.timed_out = true;
            deadline = Clock::now() + kTermToKill;
        }
    }
    if (ended != child) return end;
    if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
    if (WIFEXITED(status)) end.status = WEXITSTATUS(status);
    return end;
}

}  // namespace lastref
