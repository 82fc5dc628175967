#include "command/pack.h"

#include <fmt/format.h>

#include <memory>

#include "command/exit_status.h"
#include "command/new_file.h"
#include "command/progress_line.h"
#include "pack/open_trace.h"
#include "pack/pack_writer.h"
#include "pack/packed_source.h"
#include "read/exit_state.h"
#include "read/trace_file.h"

namespace lastref {
namespace {

constexpr std::string_view kSuffix = ".packed";

// Has `make` write the new file, and gives it its name.
template <typename Make>
int write_new_file(const std::string& path, const std::string& input, Make&& make) {
    NewFile file(path);
    if (!file.failure().empty()) return fail(kUsage, file.failure());
    const Result<uint64_t> size = make(file.descriptor());
    if (!size)
        return fail(size.error().file == input ? kUnreadable : kUsage, size.error().message());
    const std::string failure = file.keep();
    return failure.empty() ? 0 : fail(kUsage, failure);
}

}  // namespace

int pack_command(const PackOptions& options) {
    Result<std::unique_ptr<TraceFile>> trace = open_trace(options.trace);
    if (!trace) return fail(kUnreadable, trace.error().message());
    if ((*trace)->is_packed()) return fail(kUsage, options.trace + ": is packed already");
    if (exit_state((*trace)->header()).text == "running") {
        return fail(kUsage,
                    fmt::format("{}: process {} still writes it: pack it when that has ended",
                                options.trace, (*trace)->header().pid));
    }
    const std::string output =
        options.output.empty() ? options.trace + std::string(kSuffix) : options.output;
    ProgressLine line("pack");
    return write_new_file(output, options.trace, [&](int descriptor) {
        return packed::pack_trace((*trace)->bytes(), options.trace, descriptor, output,
                                  [&](double share) { line.show(share); });
    });
}

int unpack_command(const PackOptions& options) {
    Result<std::unique_ptr<ByteSource>> stored = ByteSource::open(options.trace);
    if (!stored) return fail(kUnreadable, stored.error().message());
    if (!packed::PackedSource::is_packed(**stored)) {
        return fail(kUnreadable, options.trace + ": is no packed trace");
    }
    DamageList damage;
    auto source = packed::PackedSource::open(std::move(*stored), options.trace, damage);
    if (!source) return fail(kUnreadable, source.error().message());
    if (!damage.empty()) {
        const Damage& first = damage.kept().front();
        return fail(kUnreadable, Error{options.trace, first.offset, first.reason,
                                       "`lastref report` reads what is left"}
                                     .message());
    }
    std::string output = options.output;
    if (output.empty()) {
        if (!options.trace.ends_with(kSuffix)) {
            return fail(kUsage, fmt::format("{}: does not end in {}: name the output with -o",
                                            options.trace, kSuffix));
        }
        output = options.trace.substr(0, options.trace.size() - kSuffix.size());
    }
    ProgressLine line("unpack");
    return write_new_file(output, options.trace, [&](int descriptor) {
        return packed::unpack_trace(**source, options.trace, descriptor, output,
                                    [&](double share) { line.show(share); });
    });
}

}  // namespace lastref
