// Starts a program, stays out of its way, and waits for its end.
#ifndef LASTREF_ANALYZER_COMMAND_LAUNCHER_H
#define LASTREF_ANALYZER_COMMAND_LAUNCHER_H

#include <sys/types.h>

#include <string>
#include <vector>

namespace lastref {

struct Launch {
    std::string path;                      // the file to run
    std::vector<std::string> arguments;    // the first is the program's name
    std::vector<std::string> environment;  // NAME=VALUE
    unsigned timeout = 0;                  // seconds; 0: none
};

struct ChildEnd {
    pid_t pid = -1;
    int error = 0;     // errno where the program could not be started; nothing else is set then
    int status = 0;    // exit status
    int signal = 0;    // the signal that ended it, 0: none
    int received = 0;  // the last signal that was meant to end this process, 0: none
    bool timed_out = false;  // it was ended since its time was over
};

// The program gets our standard streams, signal mask and signal dispositions as we got them, and
// none of our other files. Meanwhile SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 do not
// end this process: what another process sent is passed on; what a terminal sent is not, since
// the program got it too. When its time is over the program gets SIGTERM, ten seconds later
// SIGKILL.
ChildEnd launch_and_wait(const Launch& launch);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_LAUNCHER_H
