#include "analyze/symbolizer.h"

#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "symbols/perf_map.h"
#include "trace_format.h"

namespace lastref {
namespace {

constexpr size_t kNoModule = SIZE_MAX;

constexpr uint32_t kGone = UINT32_MAX;

// How far an epoch lies before the module's life, whose begin may be noted late; 0 inside, kGone
// after it: nothing runs in a module that was unloaded, but what took its place may be unknown.
uint32_t epoch_distance(const Module& module, uint32_t epoch) {
    if (epoch >= module.end_epoch) return kGone;
    return epoch < module.first_epoch ? module.first_epoch - epoch : 0;
}

}  // namespace

struct Symbolizer::State {
    // A machine address as it was seen, and as it is named: a module and an ELF address.
    struct Seen {
        uint64_t pc;
        uint32_t epoch;
        bool operator==(const Seen&) const = default;
    };
    struct Place {
        size_t module;
        uint64_t address;
        bool operator==(const Place&) const = default;
    };
    struct Hash {
        static size_t mix(uint64_t a, uint64_t b) {
            uint64_t hash = (a ^ (b * 0x9e3779b97f4a7c15u)) * 0xff51afd7ed558ccdu;
            return static_cast<size_t>(hash ^ (hash >> 32));
        }
        size_t operator()(const Seen& seen) const { return mix(seen.pc, seen.epoch); }
        size_t operator()(const Place& place) const { return mix(place.address, place.module); }
    };

    std::span<const Module> modules;
    int32_t pid;
    std::shared_ptr<ElfFiles> files;
    const TraceNames* names = nullptr;
    std::vector<bool> is_own;  // by module
    size_t last_module = kNoModule;
    std::optional<PerfMap> perf_map;                                // read at first need
    std::vector<std::optional<std::shared_ptr<ElfModule>>> opened;  // by module
    std::unordered_map<Seen, const std::vector<Frame>*, Hash> by_pc;
    std::unordered_map<Place, std::vector<Frame>, Hash> by_place;

    size_t find_module(uint64_t address, uint32_t epoch);
    ElfModule* elf_module(size_t index);
    std::vector<Frame> make_frames(const Place& place);
};

size_t Symbolizer::State::find_module(uint64_t address, uint32_t epoch) {
    auto holds = [&](size_t index) {
        return address >= modules[index].begin && address < modules[index].end;
    };
    if (last_module != kNoModule && holds(last_module) &&
        epoch_distance(modules[last_module], epoch) == 0)
        return last_module;
    size_t best = kNoModule;
    uint32_t best_distance = kGone;
    for (size_t index = 0; index < modules.size(); ++index) {
        if (!holds(index)) continue;
        uint32_t distance = epoch_distance(modules[index], epoch);
        if (distance >= best_distance) continue;
        best = index;
        best_distance = distance;
    }
    last_module = best;
    return best;
}

ElfModule* Symbolizer::State::elf_module(size_t index) {
    if (!opened[index]) opened[index] = files->find(modules[index].path, modules[index].build_id);
    return opened[index]->get();
}

std::vector<Frame> Symbolizer::State::make_frames(const Place& place) {
    Frame known;
    known.offset = place.address;
    const std::vector<NamedFrame>* told = nullptr;
    if (names != nullptr) {
        const size_t module = place.module == kNoModule ? modules.size() : place.module;
        const auto found = names->find({static_cast<uint32_t>(module), place.address});
        if (found != names->end()) told = &found->second;
    }
    if (place.module == kNoModule && told != nullptr) {
        if (!told->empty()) known.function = told->front().function;
        return {known};
    }
    if (place.module == kNoModule) {
        if (!perf_map) perf_map = PerfMap::of_process(pid);
        known.function = perf_map->find(place.address);
        return {known};
    }
    known.module = modules[place.module].path;
    known.build_id = modules[place.module].build_id;
    std::vector<Frame> frames;
    if (told != nullptr) {
        for (const NamedFrame& source : *told) {
            Frame& frame = frames.emplace_back(known);
            frame.function = source.function;
            frame.file = source.file;
            frame.line = source.line;
            frame.inlined = true;
        }
    } else if (ElfModule* elf = elf_module(place.module)) {
        for (SourceFrame& source : elf->frames(place.address)) {
            Frame& frame = frames.emplace_back(known);
            frame.function = std::move(source.function);
            frame.file = std::move(source.file);
            frame.line = source.line;
            frame.inlined = true;
        }
    }
    if (frames.empty()) frames.push_back(known);
    frames.back().inlined = false;
    return frames;
}

Symbolizer::Symbolizer(std::span<const Module> modules, int32_t pid,
                       std::shared_ptr<ElfFiles> files, const TraceNames* names)
    : state_(new State) {
    state_->files = std::move(files);
    state_->names = names;
    state_->modules = modules;
    state_->pid = pid;
    state_->opened.resize(modules.size());
    for (const Module& module : modules) {
        const std::string_view path = module.path;
        state_->is_own.push_back(path.substr(path.rfind('/') + 1).starts_with("liblastref.so"));
    }
}

Symbolizer::~Symbolizer() = default;

TraceNames Symbolizer::names() const {
    TraceNames names;
    for (const auto& [place, frames] : state_->by_place) {
        const size_t module = place.module == kNoModule ? state_->modules.size() : place.module;
        std::vector<NamedFrame>& named = names[{static_cast<uint32_t>(module), place.address}];
        for (const Frame& frame : frames) {
            if (frame.function.empty() && frame.file.empty()) continue;
            named.push_back({frame.function, frame.file, frame.line});
        }
    }
    return names;
}

// A return address may belong to the next line, or to the next function where the call does not
// return: what is named, and shown as the offset, is the call before it.
static uint64_t called_from(uint64_t pc) {
    uint64_t address = pc & ~trace::kExactPc;
    return pc & trace::kExactPc || address == 0 ? address : address - 1;
}

const std::vector<Frame>& Symbolizer::frames(uint64_t pc, uint32_t epoch) {
    auto [seen, is_new_pc] = state_->by_pc.try_emplace({pc, epoch}, nullptr);
    if (!is_new_pc) return *seen->second;
    uint64_t address = called_from(pc);
    size_t module = state_->find_module(address, epoch);
    uint64_t bias = module == kNoModule ? 0 : state_->modules[module].bias;
    State::Place place{module, address - bias};
    auto [entry, is_new_place] = state_->by_place.try_emplace(place);
    if (is_new_place) entry->second = state_->make_frames(place);
    seen->second = &entry->second;
    return entry->second;
}

bool Symbolizer::is_own(uint64_t pc, uint32_t epoch) {
    size_t index = state_->find_module(called_from(pc), epoch);
    if (index == kNoModule) return false;
    return state_->is_own[index];
}

}  // namespace lastref
