#include "analyze/memory_groups.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "analyze/cache_window.h"

namespace lastref {
namespace {

using Groups = std::unordered_map<uint32_t, MemoryGroup>;

void add(Groups& groups, const MemoryGroup& one, const TraceFacts& facts) {
    const auto [at, fresh] = groups.try_emplace(one.stack, one);
    MemoryGroup& group = at->second;
    if (fresh) group.stacks.push_back(one.stack);
    if (!fresh && std::tie(one.ticks, one.address) < std::tie(group.ticks, group.address)) {
        group.address = one.address;
        group.size = one.size;
        group.ticks = one.ticks;
        group.thread = one.thread;
        group.op = one.op;
    }
    group.count += 1;
    group.bytes += one.size;
    if (facts.sampling.active() && one.op != trace::Op::kMmap)
        group.estimate.add(one.size, facts.sampling.block_probability(one.size));
    if (one.ticks >= facts.recent_ticks) {
        ++group.recent;
        group.recent_bytes += one.size;
    }
}

// The live blocks of one stack among all that it made, by the order in which it made them.
struct AmongPeers {
    uint64_t longest_life = 0;  // ticks, of a peer that was freed
    uint64_t overdue = 0;       // live ones that are older than that
    uint64_t first_serial = UINT64_MAX;
    double serials = 0;  // their sum
};

// Why live blocks may be there for good reasons; nullptr if they rather look forgotten: spread over
// all that was made, and older than any that was freed got.
const char* why_not_forgotten(const AmongPeers& live, const MemoryGroup& group, uint64_t made) {
    const uint64_t count = group.count, ended = group.peers_ended;
    if (ended == 0) return "none that was made here was freed";
    if (live.overdue * 2 < count)
        return "others that were made here got as old before they were freed";
    // A cache keeps the newest; what is made at the start may be kept.
    const uint64_t window = cache_window(count);
    if (ended >= 2 * count && made > window && live.first_serial >= made - window) {
        return "these are the newest of those that were made here: they may be in use";
    }
    if (group.ranks.lie_in_front()) {
        return "these are among the first of those that were made here: they may be kept on "
               "purpose";
    }
    return nullptr;
}

std::vector<MemoryGroup> sorted(const Groups& groups) {
    std::vector<MemoryGroup> list;
    list.reserve(groups.size());
    for (const auto& [stack, group] : groups) list.push_back(group);
    std::sort(list.begin(), list.end(), [](const MemoryGroup& a, const MemoryGroup& b) {
        const uint64_t a_bytes = a.bytes - a.recent_bytes, b_bytes = b.bytes - b.recent_bytes;
        return std::tie(b_bytes, b.bytes, b.count, a.ticks, a.stack) <
               std::tie(a_bytes, a.bytes, a.count, b.ticks, b.stack);
    });
    return list;
}

}  // namespace

std::vector<MemoryGroup> group_blocks(const Heap& heap, const Buffers& buffers,
                                      const TraceFacts& facts,
                                      const std::function<bool(const HeapBlock&)>& is_kept,
                                      uint64_t& behind_buffers) {
    std::vector<uint64_t> held;
    buffers.for_each_live([&](const BufferLife& life) { held.push_back(life.address); });
    std::sort(held.begin(), held.end());
    behind_buffers = 0;
    std::unordered_map<uint32_t, uint64_t> behind_at;
    std::unordered_map<uint32_t, AmongPeers> among_peers;
    heap.free_places().for_each([&](const FreePlaces::Pair& pair) {
        uint64_t& longest = among_peers[pair.made].longest_life;
        longest = std::max(longest, pair.longest_life);
    });
    Groups groups;
    heap.blocks().for_each_live([&](const HeapBlock& block) {
        if (is_kept(block)) return;
        const auto inside = std::lower_bound(held.begin(), held.end(), block.address);
        if (inside != held.end() && *inside - block.address < std::max<uint64_t>(block.size, 1)) {
            ++behind_buffers;
            ++behind_at[block.stack];
            return;
        }
        MemoryGroup one;
        one.stack = block.stack;
        one.address = block.address;
        one.size = block.size;
        one.ticks = block.begin_ticks;
        one.thread = block.thread;
        one.op = static_cast<trace::Op>(block.op);
        add(groups, one, facts);
        AmongPeers& peers = among_peers[block.stack];
        const uint64_t age = facts.last_ticks - std::min(facts.last_ticks, block.begin_ticks);
        // The longest life is of those that were looked at.
        if (age > peers.longest_life + peers.longest_life / 4) ++peers.overdue;
        peers.first_serial = std::min<uint64_t>(peers.first_serial, block.serial);
        peers.serials += block.serial;
    });
    for (auto& [stack, group] : groups) {
        const uint64_t made = heap.allocations_at(stack);
        const auto behind = behind_at.find(stack);
        const uint64_t live = group.count + (behind == behind_at.end() ? 0 : behind->second);
        group.peers_ended = made - std::min(made, live);
        const AmongPeers& peers = among_peers[stack];
        group.ranks.add(group.count, made, peers.serials);
        group.not_forgotten = why_not_forgotten(peers, group, made);
        if (group.not_forgotten == nullptr) group.forgotten = group.count;
    }
    return sorted(groups);
}

std::vector<MemoryGroup> group_mappings(const Mappings& mappings, const TraceFacts& facts) {
    Groups groups;
    std::unordered_set<uint64_t> serials;
    mappings.for_each_live([&](const Mapping& mapping) {
        MemoryGroup one;
        one.stack = mapping.stack;
        one.address = mapping.begin;
        one.size = mapping.end - mapping.begin;
        one.ticks = mapping.ticks;
        one.thread = mapping.thread;
        one.op = trace::Op::kMmap;
        add(groups, one, facts);
        // Further pieces of a mapping that was cut are not further mappings.
        if (!serials.insert(mapping.serial).second) --groups[mapping.stack].count;
    });
    for (auto& [stack, group] : groups) {
        const uint64_t made = mappings.made_at(stack);
        group.peers_ended = made - std::min(made, group.count);
    }
    return sorted(groups);
}

}  // namespace lastref
