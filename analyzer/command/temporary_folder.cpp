#include "command/temporary_folder.h"

#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "command/say.h"

namespace lastref {
namespace {

constexpr int kForwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// A process that the command left behind may still be writing: what appears meanwhile is removed
// too.
void remove_folder(const std::string& path) {
    std::error_code error;
    for (int attempt = 0; attempt < 10 && std::filesystem::exists(path, error); ++attempt)
        std::filesystem::remove_all(path, error);
}

int wait_and_forward(pid_t child, const sigset_t& watched) {
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        siginfo_t info = {};
        const int signal = sigwaitinfo(&watched, &info);
        // A terminal signals the whole process group by itself.
        if (signal > 0 && signal != SIGCHLD && info.si_code != SI_KERNEL) kill(child, signal);
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

int in_temporary_folder(const std::function<int(const std::string&)>& work, int failed) {
    const char* parent = getenv("TMPDIR");
    std::string folder = fmt::format("{}/leak-gate.XXXXXX", parent && *parent ? parent : "/tmp");
    sigset_t watched, before;
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    for (const int signal : kForwarded) {
        struct sigaction action;
        if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&watched, signal);
    }
    sigprocmask(SIG_BLOCK, &watched, &before);
    if (!mkdtemp(folder.data())) {
        say("lastref: {}: can't be made: {} (TMPDIR names the folder)\n", folder, strerror(errno));
        return failed;
    }
    fflush(nullptr);
    const pid_t self = getpid();
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != self) _exit(128 + SIGTERM);
        sigprocmask(SIG_SETMASK, &before, nullptr);
        const int status = work(folder);
        fflush(nullptr);
        _exit(status);
    }
    const int status = child < 0 ? failed : wait_and_forward(child, watched);
    if (child < 0) say("lastref: no process can be made: {}\n", strerror(errno));
    remove_folder(folder);
    sigprocmask(SIG_SETMASK, &before, nullptr);
    return status;
}

}  // namespace lastref
