#include "report/heaptrack.h"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "read/event_merger.h"
#include "report/units.h"

namespace lastref {
namespace {

using trace::Op;

// Indexes of strings, frames and stacks count from 1, those of allocations from 0; all numbers are
// hexadecimal.
class HeaptrackFile {
public:
    HeaptrackFile(TraceFile& trace, StackNames& names, const Sink& sink)
        : trace_(trace), names_(names), sink_(sink) {}

    bool write();

private:
    static constexpr size_t kFlushAt = 1 << 16;
    using Block = std::pair<uint64_t, uint64_t>;  // size and stack

    template <typename... Arguments>
    void line(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
        fmt::format_to(std::back_inserter(out_), format, std::forward<Arguments>(arguments)...);
        out_ += '\n';
    }
    bool flush() {
        const bool goes_on = sink_(out_);
        out_.clear();
        return goes_on;
    }
    void header();
    uint64_t text(const std::string& text);
    uint64_t frame(const std::vector<const Frame*>& inlined_first);
    uint64_t stack(uint32_t id);
    void handle(const Event& event);
    void begin(const Event& event);
    void end(uint64_t address);
    void tell_time(uint64_t ticks);

    TraceFile& trace_;
    StackNames& names_;
    const Sink& sink_;
    std::string out_;
    std::unordered_map<std::string, uint64_t> texts_;
    std::map<std::vector<const Frame*>, uint64_t> frames_;
    std::map<std::pair<uint64_t, uint64_t>, uint64_t> nodes_;  // by frame and parent
    std::unordered_map<uint32_t, uint64_t> stacks_;
    std::map<Block, uint64_t> allocations_;
    std::unordered_map<uint64_t, uint64_t> live_;                          // by address
    std::unordered_map<uint32_t, std::pair<uint64_t, uint64_t>> pending_;  // by log: a realloc's
    uint64_t milliseconds_ = 0;
};

void HeaptrackFile::header() {
    constexpr unsigned kVersion = 0x10400, kFileVersion = 3, kPage = 4096;
    line("v {:x} {:x}", kVersion, kFileVersion);
    std::string command;
    for (const std::string& word : trace_.command()) command += (command.empty() ? "" : " ") + word;
    line("X {}", printable(command));
    line("I {:x} {:x}", kPage, 0);
}

uint64_t HeaptrackFile::text(const std::string& text) {
    if (text.empty()) return 0;
    const auto [entry, is_new] = texts_.try_emplace(text, texts_.size() + 1);
    if (is_new) {
        const std::string shown = printable(text);
        line("s {:x} {}", shown.size(), shown);
    }
    return entry->second;
}

uint64_t HeaptrackFile::frame(const std::vector<const Frame*>& inlined_first) {
    const auto known = frames_.find(inlined_first);
    if (known != frames_.end()) return known->second;
    const Frame& outer = *inlined_first.back();
    std::string entry = fmt::format("i {:x} {:x}", outer.offset, text(outer.module));
    for (const Frame* one : inlined_first) {
        if (one->function.empty()) continue;
        // Names first: a string's line comes before the line that uses it.
        const uint64_t function = text(one->function), file = text(one->file);
        entry += fmt::format(" {:x}", function);
        if (file != 0 || inlined_first.size() > 1)
            entry += fmt::format(" {:x} {:x}", file, one->line);
    }
    line("{}", entry);
    const uint64_t index = frames_.size() + 1;
    frames_.emplace(inlined_first, index);
    return index;
}

uint64_t HeaptrackFile::stack(uint32_t id) {
    const auto [entry, is_new] = stacks_.try_emplace(id, 0);
    if (!is_new) return entry->second;
    std::vector<uint64_t> frames;  // innermost first
    std::vector<const Frame*> machine_frame;
    names_.visit(id, [&](const Frame& one) {
        machine_frame.push_back(&one);
        if (one.inlined) return true;
        frames.push_back(frame(machine_frame));
        machine_frame.clear();
        return true;
    });
    uint64_t node = 0;
    for (auto at = frames.rbegin(); at != frames.rend(); ++at) {
        const auto [known, is_new_node] = nodes_.try_emplace({*at, node}, nodes_.size() + 1);
        if (is_new_node) line("t {:x} {:x}", *at, node);
        node = known->second;
    }
    return stacks_[id] = node;
}

void HeaptrackFile::begin(const Event& event) {
    end(event.address);  // where its end was not seen
    const uint64_t at = stack(event.stack);
    const auto [entry, is_new] = allocations_.try_emplace({event.size, at}, allocations_.size());
    if (is_new) line("a {:x} {:x}", event.size, at);
    line("+ {:x}", entry->second);
    live_[event.address] = entry->second;
}

void HeaptrackFile::end(uint64_t address) {
    const auto found = live_.find(address);
    if (found == live_.end()) return;
    line("- {:x}", found->second);
    live_.erase(found);
}

void HeaptrackFile::tell_time(uint64_t ticks) {
    constexpr uint64_t kStep = 10;  // as heaptrack does
    const uint64_t now = trace_.to_ns(ticks) / 1'000'000u;
    if (now < milliseconds_ + kStep) return;
    milliseconds_ = now;
    line("c {:x}", now);
}

void HeaptrackFile::handle(const Event& event) {
    switch (event.op) {
        case Op::kMalloc:
        case Op::kCalloc:
        case Op::kMemalign:
            begin(event);
            break;
        case Op::kFree:
            end(event.address);
            break;
        case Op::kReallocBegin:
            pending_.erase(event.log);
            if (const auto found = live_.find(event.address); found != live_.end()) {
                pending_[event.log] = *found;
                end(event.address);
            }
            break;
        case Op::kRealloc:
            if (event.address != 0) {
                begin(event);
            } else if (const auto before = pending_.find(event.log); before != pending_.end()) {
                line("+ {:x}", before->second.second);  // it failed: the old block lives on
                live_[before->second.first] = before->second.second;
            }
            pending_.erase(event.log);
            break;
        default:
            break;
    }
}

bool HeaptrackFile::write() {
    header();
    EventMerger merger(trace_);
    uint64_t last = 0;
    while (const Event* const event = merger.next()) {
        tell_time(event->ticks);
        handle(*event);
        last = event->ticks;
        if (out_.size() >= kFlushAt && !flush()) return false;
    }
    line("c {:x}", trace_.to_ns(last) / 1'000'000u);
    return flush();
}

}  // namespace

bool write_heaptrack(TraceFile& trace, StackNames& names, const Sink& sink) {
    return HeaptrackFile(trace, names, sink).write();
}

}  // namespace lastref
