#include "read/stack_nodes.h"

#include <algorithm>
#include <bit>
#include <string>

#include "read/huge_pages.h"
#include "read/varint.h"

namespace lastref {
namespace {

using trace::kFirstStack;
using trace::kStackLost;

struct Definition {
    uint64_t first_word = 0;  // index of the first frame's word
    uint32_t count = 0;       // frames added; 0: there is no such definition
    uint32_t base = 0;
    uint32_t drop = 0;
    uint32_t epoch = 0;
};

// All definitions of a trace as they stand in its chunks.
struct Definitions {
    std::vector<uint64_t> words;
    std::vector<Definition> by_id;

    void read_chunk(const ByteSource& bytes, const Chunk& chunk, uint64_t id_end,
                    DamageList& damage);
};

// `id_end`: where the next chunk's ids begin, or what no id reaches.
void Definitions::read_chunk(const ByteSource& bytes, const Chunk& chunk, uint64_t id_end,
                             DamageList& damage) {
    std::vector<uint8_t> payload(chunk.committed + kDecodePadding);
    const size_t got = bytes.read(chunk.offset, payload.data(), chunk.committed);
    const uint8_t* at = payload.data();
    const uint8_t* const end = at + got;
    uint64_t word = 0;
    uint64_t id = chunk.base_address;
    uint32_t epoch = 0;
    while (at < end) {
        const uint8_t* const begin = at;
        const size_t first = words.size();
        uint64_t base = 0, drop = 0, count = 0;
        if ((at = read_varint(at, base)) != nullptr && (at = read_varint(at, drop)) != nullptr) {
            at = read_varint(at, count);
        }
        // A frame takes at least one byte.
        bool good = at != nullptr && at <= end && drop <= UINT32_MAX &&
                    count <= static_cast<uint64_t>(end - at);
        if (good && count == 0) {
            epoch = static_cast<uint32_t>(drop);
            continue;
        }
        const uint64_t base_id = id + static_cast<uint64_t>(unzigzag(base));
        good = good && id < id_end && base_id != id && base_id <= UINT32_MAX;
        for (uint64_t i = 0; good && i < count; i++) {
            uint64_t delta = 0;
            at = at < end ? read_varint(at, delta) : nullptr;
            good = at != nullptr && at <= end;
            word += static_cast<uint64_t>(unzigzag(delta));
            if (good) words.push_back(word);
        }
        if (!good) {
            words.resize(first);
            damage.add(chunk.offset + static_cast<uint64_t>(begin - payload.data()),
                       "impossible definition of stack " + std::to_string(id) +
                           "; the rest of its chunk is skipped");
            return;
        }
        if (by_id.size() <= id) by_id.resize(id + 1);
        by_id[id++] = {first, static_cast<uint32_t>(count), static_cast<uint32_t>(base_id),
                       static_cast<uint32_t>(drop), epoch};
    }
}

uint64_t mixed(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

// Makes the tree: every definition after the one it is based on.
class Builder {
public:
    Builder(const Definitions& definitions, std::vector<StackNode>& nodes,
            std::vector<uint32_t>& leaves)
        : definitions_(definitions),
          nodes_(nodes),
          leaves_(leaves),
          state_(definitions.by_id.size(), State::kNew) {
        nodes_.reserve(definitions.words.size());
        hashes_.reserve(definitions.words.size());
        for (uint32_t id = kFirstStack; id < state_.size(); id++) build_with_bases(id);
    }

    uint64_t hash_of(uint32_t id) const { return hash_at(leaves_[id]); }

private:
    enum class State : uint8_t { kNew, kWaiting, kBuilt };

    bool defined(uint32_t id) const {
        return id < definitions_.by_id.size() && definitions_.by_id[id].count != 0;
    }

    void build_with_bases(uint32_t id) {
        while (defined(id) && state_[id] == State::kNew) {
            state_[id] = State::kWaiting;
            waiting_.push_back(id);
            id = definitions_.by_id[id].base;
        }
        for (; !waiting_.empty(); waiting_.pop_back()) build(waiting_.back());
    }

    void build(uint32_t id) {
        const Definition& definition = definitions_.by_id[id];
        uint32_t outer = kStackLost;
        if (definition.base < kFirstStack) {
            outer = std::min<uint32_t>(definition.base, kStackLost);
        } else if (defined(definition.base) && state_[definition.base] == State::kBuilt) {
            outer = leaves_[definition.base];
            for (uint32_t i = 0; i < definition.drop && outer >= kFirstStack; i++) {
                outer = nodes_[outer - kFirstStack].parent;
            }
        }
        for (uint32_t i = 0; i < definition.count; i++) {
            const uint64_t word = definitions_.words[definition.first_word + i];
            const uint64_t pc = word >> 1 | (word & 1 ? trace::kExactPc : 0);
            hashes_.push_back(mixed(mixed(hash_at(outer), pc), definition.epoch));
            nodes_.push_back({outer, definition.epoch, pc});
            outer = kFirstStack + static_cast<uint32_t>(nodes_.size()) - 1;
        }
        leaves_[id] = outer;
        state_[id] = State::kBuilt;
    }

    uint64_t hash_at(uint32_t node) const {
        return node < kFirstStack ? node : hashes_[node - kFirstStack];
    }

    const Definitions& definitions_;
    std::vector<StackNode>& nodes_;
    std::vector<uint32_t>& leaves_;
    std::vector<State> state_;
    std::vector<uint64_t> hashes_;  // by node: of the path from the outermost frame
    std::vector<uint32_t> waiting_;
};

bool same_path(const std::vector<StackNode>& nodes, uint32_t a, uint32_t b) {
    while (a != b && a >= kFirstStack && b >= kFirstStack) {
        const StackNode& left = nodes[a - kFirstStack];
        const StackNode& right = nodes[b - kFirstStack];
        if (left.pc != right.pc || left.epoch != right.epoch) return false;
        a = left.parent;
        b = right.parent;
    }
    return a == b;
}

}  // namespace

StackNodes::StackNodes(const ByteSource& bytes, const std::vector<Chunk>& chunks,
                       DamageList& damage) {
    Definitions definitions;
    // Every id takes more than a byte of the file, used or not.
    const uint64_t id_limit = std::min<uint64_t>(bytes.size(), UINT32_MAX);
    for (size_t i = 0; i < chunks.size(); i++) {
        if (chunks[i].base_address < kFirstStack || chunks[i].base_address > id_limit) {
            damage.add(chunks[i].offset, "stack chunk with impossible ids");
            continue;
        }
        const uint64_t next = i + 1 < chunks.size() ? chunks[i + 1].base_address : id_limit;
        definitions.read_chunk(bytes, chunks[i], next, damage);
    }
    const size_t id_end = std::max<size_t>(definitions.by_id.size(), kFirstStack);
    leaves_.assign(id_end, kStackLost);
    ids_.assign(id_end, 0);
    for (uint32_t id = 0; id <= kStackLost; id++) ids_[id] = leaves_[id] = id;
    const Builder builder(definitions, nodes_, leaves_);
    // Open addressing, at most half full: the first id with each hash.
    const size_t mask = std::bit_ceil(2 * id_end) - 1;
    std::vector<uint32_t, HugePages<uint32_t>> first_with(mask + 1);
    for (uint32_t id = kFirstStack; id < definitions.by_id.size(); id++) {
        if (definitions.by_id[id].count == 0) continue;
        const uint64_t hash = builder.hash_of(id);
        size_t slot = hash & mask;
        while (first_with[slot] != 0 && builder.hash_of(first_with[slot]) != hash) {
            slot = (slot + 1) & mask;
        }
        if (first_with[slot] == 0) first_with[slot] = id;
        const uint32_t first = first_with[slot];
        ids_[id] = same_path(nodes_, leaves_[first], leaves_[id]) ? first : id;
    }
}

}  // namespace lastref
