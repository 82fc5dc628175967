// A line on a terminal that is rewritten as work goes on, and leaves nothing behind. Nothing where
// stderr is no terminal.
#ifndef LASTREF_ANALYZER_COMMAND_PROGRESS_LINE_H
#define LASTREF_ANALYZER_COMMAND_PROGRESS_LINE_H

#include <unistd.h>

#include <string>
#include <utility>

#include "command/say.h"

namespace lastref {

class ProgressLine {
public:
    explicit ProgressLine(std::string verb)
        : verb_(std::move(verb)), is_shown_(isatty(STDERR_FILENO) == 1) {}
    ~ProgressLine() {
        if (percent_ >= 0) say("\r\033[K");
    }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void show(double share) {
        const int percent = static_cast<int>(share * 100);
        if (!is_shown_ || percent == percent_) return;
        percent_ = percent;
        say("\rlastref {}: {} %", verb_, percent);
    }

private:
    const std::string verb_;
    const bool is_shown_;
    int percent_ = -1;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_PROGRESS_LINE_H
