#include "command/streamed_output.h"

#include <fmt/format.h>

#include <memory>

#include "command/output_file.h"
#include "command/say.h"

namespace lastref {

std::string write_streamed(const Format& format, const std::string& path,
                           const std::function<const Report*(TraceFollower&)>& read) {
    OutputFile output(path);
    if (format.needs_file && output.file().empty()) {
        const std::string failure = output.finish();
        return !failure.empty() ? failure
                                : fmt::format(
                                      "{0} is written to a regular file, and wants its name "
                                      "(-o FILE, the gate's --{0} FILE)",
                                      format.name);
    }
    const auto stream =
        format.stream({[&](std::string_view bytes) { return output.write(bytes); }, output.file()});
    const Report* const report = read(*stream);
    if (report == nullptr) return {};
    std::string failure = stream->stopped() ? stream->failure() : stream->finish(*report);
    if (!failure.empty()) return fmt::format("{}: {}", path, failure);
    failure = output.finish();
    if (!failure.empty()) return failure;
    for (const std::string& note : stream->notes()) say("lastref: {}\n", note);
    return {};
}

}  // namespace lastref
