#include "command/launcher.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "support/catch.h"

using lastref::ChildEnd;
using lastref::launch_and_wait;

namespace {

ChildEnd run_shell(const std::string& script) {
    return launch_and_wait({"/bin/sh", {"sh", "-c", script}, {"GREETING=hello"}});
}

}  // namespace

TEST_CASE("the launcher returns how the program ended") {
    CHECK(run_shell("exit 0").status == 0);
    CHECK(run_shell("exit 7").status == 7);
    CHECK(run_shell("test \"$GREETING\" = hello").status == 0);
    ChildEnd killed = run_shell("kill -KILL $$");
    CHECK(killed.signal == SIGKILL);
    CHECK(killed.pid > 0);
}

TEST_CASE("the launcher returns why a program could not be started") {
    CHECK(launch_and_wait({"/nonexistent", {"x"}, {}}).error == ENOENT);
    CHECK(launch_and_wait({"/etc/passwd", {"x"}, {}}).error == EACCES);
}

TEST_CASE("the launcher keeps the exit status where SIGCHLD is ignored, and passes that on") {
    struct sigaction ignore = {}, before;
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGCHLD, &ignore, &before);
    ChildEnd end = run_shell("exit 9");
    // Bit 16 of SigIgn, in the fifth digit from its end, is SIGCHLD (17).
    ChildEnd inherited = launch_and_wait(
        {"/bin/grep", {"grep", "-q", "SigIgn:.*[13579bdf]....$", "/proc/self/status"}, {}});
    sigaction(SIGCHLD, &before, nullptr);
    CHECK(end.status == 9);
    CHECK(inherited.status == 0);
}

TEST_CASE("signals sent to the launcher reach the program") {
    // The launcher runs in a child of ours, where no other test's signals are.
    pid_t launcher = fork();
    if (launcher == 0) {
        ChildEnd end =
            run_shell("trap 'exit 5' TERM; kill -TERM $PPID; while :; do sleep 0.05; done");
        _exit(end.status);
    }
    int status = 0;
    REQUIRE(waitpid(launcher, &status, 0) == launcher);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 5);
}
