#include "report/heaptrack.h"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyze/stack_names.h"
#include "read/trace_file.h"
#include "report/machine_frames.h"
#include "report/units.h"

namespace lastref {
namespace {

// Indexes of strings, frames and stacks count from 1, those of allocations from 0; all numbers are
// hexadecimal. A life's number is its allocation's.
class HeaptrackFile final : public StreamedReport {
public:
    explicit HeaptrackFile(const StreamTarget& target) : target_(target) {}

    void trace_begins(TraceFile& trace, StackNames& names) override;
    void trace_ends(uint64_t last_ticks) override;
    void event(const Event& event) override;
    uint64_t begins(const FollowedLife& life) override;
    void ends(const FollowedLife& life) override {
        if (life.type == FollowedLife::kHeap) line("- {:x}", life.number);
    }
    void goes_on(const FollowedLife& life) override {
        if (life.type == FollowedLife::kHeap) line("+ {:x}", life.number);
    }
    bool stopped() const override { return stopped_; }
    std::string finish(const Report&) override { return {}; }

private:
    static constexpr size_t kFlushAt = 1 << 16;
    using MachineFrame = std::vector<const Frame*>;
    using Block = std::pair<uint64_t, uint64_t>;  // size and stack
    struct BlockHash {
        size_t operator()(const Block& block) const {
            return (block.first * 0x9e3779b97f4a7c15u ^ block.second) * 0x9e3779b97f4a7c15u >> 7;
        }
    };

    template <typename... Arguments>
    void line(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
        fmt::format_to(std::back_inserter(out_), format, std::forward<Arguments>(arguments)...);
        out_ += '\n';
    }
    void flush() {
        stopped_ = !target_.sink(out_);
        out_.clear();
    }
    uint64_t text(const std::string& text);
    uint64_t frame(const MachineFrame& inlined_first);
    uint64_t stack(uint32_t id);

    const StreamTarget target_;
    TraceFile* trace_ = nullptr;
    StackNames* names_ = nullptr;
    std::string out_;
    bool stopped_ = false;
    std::unordered_map<std::string, uint64_t> texts_;
    std::map<MachineFrame, uint64_t> frames_;
    std::map<std::pair<uint64_t, uint64_t>, uint64_t> nodes_;  // by frame and parent
    std::unordered_map<uint32_t, uint64_t> stacks_;
    std::unordered_map<Block, uint64_t, BlockHash> allocations_;
    uint64_t milliseconds_ = 0;
};

void HeaptrackFile::trace_begins(TraceFile& trace, StackNames& names) {
    constexpr unsigned kVersion = 0x10400, kFileVersion = 3, kPage = 4096;
    trace_ = &trace;
    names_ = &names;
    line("v {:x} {:x}", kVersion, kFileVersion);
    std::string command;
    for (const std::string& word : trace.command()) command += (command.empty() ? "" : " ") + word;
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

uint64_t HeaptrackFile::frame(const MachineFrame& inlined_first) {
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
    std::vector<const Frame*> source;
    names_->visit(id, [&](const Frame& one) {
        source.push_back(&one);
        return true;
    });
    std::vector<uint64_t> frames;  // innermost first
    for_each_machine_frame(
        source, [](const Frame* one) { return one->inlined; },
        [&](auto machine_frame) {
            frames.push_back(frame({machine_frame.begin(), machine_frame.end()}));
        });
    uint64_t node = 0;
    for (auto at = frames.rbegin(); at != frames.rend(); ++at) {
        const auto [known, is_new_node] = nodes_.try_emplace({*at, node}, nodes_.size() + 1);
        if (is_new_node) line("t {:x} {:x}", *at, node);
        node = known->second;
    }
    return stacks_[id] = node;
}

uint64_t HeaptrackFile::begins(const FollowedLife& life) {
    if (life.type != FollowedLife::kHeap) return 0;
    const uint64_t at = stack(life.stack);
    const auto [entry, is_new] = allocations_.try_emplace({life.size, at}, allocations_.size());
    if (is_new) line("a {:x} {:x}", life.size, at);
    line("+ {:x}", entry->second);
    return entry->second;
}

void HeaptrackFile::event(const Event& event) {
    constexpr uint64_t kStep = 10;  // as heaptrack does
    if (out_.size() >= kFlushAt) flush();
    const uint64_t now = trace_->to_ns(event.ticks) / 1'000'000u;
    if (now < milliseconds_ + kStep) return;
    milliseconds_ = now;
    line("c {:x}", now);
}

void HeaptrackFile::trace_ends(uint64_t last_ticks) {
    line("c {:x}", trace_->to_ns(last_ticks) / 1'000'000u);
    flush();
}

}  // namespace

std::unique_ptr<StreamedReport> heaptrack_report(const StreamTarget& target) {
    return std::make_unique<HeaptrackFile>(target);
}

}  // namespace lastref
