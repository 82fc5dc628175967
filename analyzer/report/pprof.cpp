#include "report/pprof.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "report/machine_frames.h"
#include "report/protobuf.h"

namespace lastref {
namespace {

// Field numbers of profile.proto.
namespace profile {
enum {
    kSampleType = 1,
    kSample,
    kMapping,
    kLocation,
    kFunction,
    kStrings,
    kTime = 9,
    kDuration,
    kPeriodType,
    kPeriod,
    kDefaultSampleType = 14
};
}
namespace value_type {
enum { kType = 1, kUnit };
}
namespace sample {
enum { kLocations = 1, kValues, kLabel };
}
namespace label {
enum { kKey = 1, kText };
}
namespace mapping {
enum {
    kId = 1,
    kStart,
    kLimit,
    kOffset,
    kFile,
    kBuildId,
    kHasFunctions,
    kHasFiles,
    kHasLines,
    kHasInlined
};
}
namespace location {
enum { kId = 1, kMapping, kAddress, kLine };
}
namespace line {
enum { kFunction = 1, kLine };
}
namespace function {
enum { kId = 1, kName, kSystemName, kFile };
}

class Profile {
public:
    explicit Profile(const UsageReport& usage) : usage_(usage) { text(""); }

    std::string write();

private:
    // A module's place in the profile, and what is known of its frames.
    struct ModuleRange {
        uint64_t id, start = 0, size = 0;
        const Frame* example;
        bool names = false, files = false, lines = false, inlined = false;
    };
    // The frames of one machine frame, innermost first.
    using MachineFrame = std::vector<uint32_t>;

    uint64_t text(const std::string& text);
    void value_type(uint32_t field, const char* type, const char* unit);
    void place_modules();
    ModuleRange& module_of(const Frame& frame);
    uint64_t function_id(const Frame& frame);
    uint64_t location_id(const MachineFrame& frames);
    void add_sample(const UsageSite& site);
    void add_mappings();

    const UsageReport& usage_;
    ProtobufMessage out_;
    std::map<std::string, uint64_t> text_ids_;
    std::vector<std::string> texts_;
    std::map<std::string, ModuleRange> modules_;                    // by build-id, else path
    std::map<std::tuple<uint64_t, uint64_t>, uint64_t> functions_;  // by name and file
    std::map<MachineFrame, uint64_t> locations_;
};

uint64_t Profile::text(const std::string& text) {
    const auto [entry, is_new] = text_ids_.try_emplace(text, texts_.size());
    if (is_new) texts_.push_back(text);
    return entry->second;
}

void Profile::value_type(uint32_t field, const char* type, const char* unit) {
    ProtobufMessage message;
    message.number(value_type::kType, text(type));
    message.number(value_type::kUnit, text(unit));
    out_.message(field, message);
}

Profile::ModuleRange& Profile::module_of(const Frame& frame) {
    const std::string& key = frame.build_id.empty() ? frame.module : frame.build_id;
    return modules_.try_emplace(key, ModuleRange{.id = modules_.size() + 1, .example = &frame})
        .first->second;
}

// Frames in no module (run-time code) have no mapping and keep their addresses.
void Profile::place_modules() {
    constexpr uint64_t kPage = 4096;
    for (const Frame& frame : usage_.frames) {
        if (frame.module.empty()) continue;
        ModuleRange& module = module_of(frame);
        module.size = std::max(module.size, (frame.offset / kPage + 1) * kPage);
        module.names |= !frame.function.empty();
        module.files |= !frame.file.empty();
        module.lines |= frame.line != 0;
        module.inlined |= frame.inlined;
    }
    std::vector<ModuleRange*> in_order(modules_.size());
    for (auto& [key, module] : modules_) in_order[module.id - 1] = &module;
    uint64_t start = kPage;
    for (ModuleRange* module : in_order) {
        module->start = start;
        start += module->size;
    }
}

uint64_t Profile::function_id(const Frame& frame) {
    const uint64_t name = text(frame.function), file = text(frame.file);
    const auto [entry, is_new] = functions_.try_emplace({name, file}, functions_.size() + 1);
    if (is_new) {
        ProtobufMessage message;
        message.number(function::kId, entry->second);
        message.number(function::kName, name);
        message.number(function::kSystemName, name);
        message.number(function::kFile, file);
        out_.message(profile::kFunction, message);
    }
    return entry->second;
}

uint64_t Profile::location_id(const MachineFrame& frames) {
    const auto [entry, is_new] = locations_.try_emplace(frames, locations_.size() + 1);
    if (!is_new) return entry->second;
    const Frame& outer = usage_.frames[frames.back()];
    ProtobufMessage message;
    message.number(location::kId, entry->second);
    uint64_t start = 0;
    if (!outer.module.empty()) {
        const ModuleRange& module = module_of(outer);
        message.number(location::kMapping, module.id);
        start = module.start;
    }
    message.number(location::kAddress, start + outer.offset);
    for (const uint32_t index : frames) {
        const Frame& frame = usage_.frames[index];
        if (frame.function.empty()) continue;
        ProtobufMessage one;
        one.number(line::kFunction, function_id(frame));
        one.number(line::kLine, frame.line);
        message.message(location::kLine, one);
    }
    out_.message(profile::kLocation, message);
    return entry->second;
}

void Profile::add_sample(const UsageSite& site) {
    std::vector<uint32_t> frames;  // innermost first
    for (uint32_t at = site.node; at != kNoUsageNode; at = usage_.nodes[at].parent) {
        frames.push_back(usage_.nodes[at].frame);
    }
    std::vector<uint64_t> locations;
    for_each_machine_frame(
        frames, [this](uint32_t frame) { return usage_.frames[frame].inlined; },
        [&](auto machine_frame) {
            locations.push_back(location_id({machine_frame.begin(), machine_frame.end()}));
        });
    std::vector<uint64_t> values;
    for (const UsageAmount& amount : {site.allocated, site.live, site.peak}) {
        values.push_back(static_cast<uint64_t>(std::llround(amount.count)));
        values.push_back(static_cast<uint64_t>(std::llround(amount.bytes)));
    }
    ProtobufMessage type, message;
    type.number(label::kKey, text("type"));
    type.number(label::kText, text(usage_.types[site.type]));
    message.packed(sample::kLocations, locations);
    message.packed(sample::kValues, values);
    message.message(sample::kLabel, type);
    out_.message(profile::kSample, message);
}

void Profile::add_mappings() {
    for (const auto& [key, module] : modules_) {
        ProtobufMessage message;
        message.number(mapping::kId, module.id);
        message.number(mapping::kStart, module.start);
        message.number(mapping::kLimit, module.start + module.size);
        message.number(mapping::kFile, text(module.example->module));
        message.number(mapping::kBuildId, text(module.example->build_id));
        message.number(mapping::kHasFunctions, module.names);
        message.number(mapping::kHasFiles, module.files);
        message.number(mapping::kHasLines, module.lines);
        message.number(mapping::kHasInlined, module.inlined);
        out_.message(profile::kMapping, message);
    }
}

std::string Profile::write() {
    value_type(profile::kSampleType, "alloc_objects", "count");
    value_type(profile::kSampleType, "alloc_space", "bytes");
    value_type(profile::kSampleType, "inuse_objects", "count");
    value_type(profile::kSampleType, "inuse_space", "bytes");
    value_type(profile::kSampleType, "peak_objects", "count");
    value_type(profile::kSampleType, "peak_space", "bytes");
    place_modules();
    for (const UsageSite& site : usage_.sites) add_sample(site);
    add_mappings();
    out_.number(profile::kTime, usage_.start_realtime_ns);
    out_.number(profile::kDuration, usage_.duration_ns);
    value_type(profile::kPeriodType, "space", "bytes");
    out_.number(profile::kPeriod, 1);
    out_.number(profile::kDefaultSampleType, text("inuse_space"));
    for (const std::string& text : texts_) out_.text(profile::kStrings, text);
    return out_.bytes();
}

// RFC 1952, with no time and no name in it: the same profile gives the same bytes.
std::string gzip(const std::string& bytes) {
    constexpr int kWindowBits = 15, kGzip = 16, kMemoryLevel = 8;
    z_stream stream{};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kWindowBits + kGzip, kMemoryLevel,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::runtime_error("zlib could not be started");
    }
    std::string out;
    std::array<char, 65536> room;
    size_t given = 0;
    int state = Z_OK;
    while (state != Z_STREAM_END) {
        if (stream.avail_in == 0 && given < bytes.size()) {
            const size_t part = std::min<size_t>(bytes.size() - given, 1u << 30);
            stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + given));
            stream.avail_in = static_cast<uInt>(part);
            given += part;
        }
        stream.next_out = reinterpret_cast<Bytef*>(room.data());
        stream.avail_out = static_cast<uInt>(room.size());
        state = deflate(&stream, given == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
        out.append(room.data(), room.size() - stream.avail_out);
    }
    deflateEnd(&stream);
    return out;
}

}  // namespace

std::string render_pprof(const Report& report) {
    return gzip(Profile(report.usage.value()).write());
}

}  // namespace lastref
