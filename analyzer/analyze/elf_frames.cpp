#include "analyze/elf_frames.h"

#include <algorithm>
#include <utility>

namespace lastref {
namespace {

std::vector<Module> convert(const std::vector<ModuleRecord>& records) {
    std::vector<Module> modules;
    modules.reserve(records.size());
    for (const ModuleRecord& record : records) {
        Module module;
        module.path = record.path;
        module.build_id = record.build_id;
        module.begin = record.address;
        module.end = record.address + std::min(record.size, UINT64_MAX - record.address);
        module.bias = record.bias;
        module.first_epoch = record.first_epoch;
        module.end_epoch = record.end_epoch;
        modules.push_back(std::move(module));
    }
    return modules;
}

}  // namespace

ElfFrames::ElfFrames(const TraceFile& trace, std::shared_ptr<ElfFiles> files)
    : modules_(convert(trace.modules())),
      symbolizer_(modules_, trace.header().pid, std::move(files), &trace.names()) {}

const std::vector<Frame>& ElfFrames::frames(uint64_t pc, uint32_t epoch) {
    return symbolizer_.frames(pc, epoch);
}

bool ElfFrames::is_own(uint64_t pc, uint32_t epoch) {
    return symbolizer_.is_own(pc, epoch);
}

}  // namespace lastref
