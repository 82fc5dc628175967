#include "read/stack_nodes.h"

#include <algorithm>
#include <bit>
#include <string>

#include "read/varint.h"

namespace lastref {

using trace::kFirstStack;
using trace::kStackLost;

namespace {

constexpr uint32_t kUndefined = UINT32_MAX;  // as a leaf: there is no such stack, or not yet

uint64_t mixed(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

bool same_path(std::span<const StackNode> nodes, uint32_t a, uint32_t b) {
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

// Makes the tree while it reads the definitions. One whose base is not there yet waits until all
// are read.
class StackTreeBuilder {
public:
    StackTreeBuilder(StackNodes& tree, const ByteSource& bytes, DamageList& damage)
        : nodes_(tree.nodes_),
          leaves_(tree.leaves_),
          pages_(tree.ids_.pages_),
          ids_(tree.ids_.ids_),
          bytes_(bytes),
          damage_(damage) {}

    void build(const std::vector<Chunk>& chunks);

private:
    struct Definition {
        uint32_t id = 0;
        uint32_t base = 0;
        uint32_t drop = 0;
        uint32_t epoch = 0;
    };
    struct Waiting {
        Definition definition;
        size_t first_word = 0, words = 0;  // in waiting_words_
        bool is_begun = false;
    };
    using Words = std::span<const uint64_t>;

    void read_chunk(const Chunk& chunk, uint64_t id_end);
    void wait(const Definition& definition, Words words);
    void build_with_bases(Waiting& first);
    void add(const Definition& definition, Words words);
    void find_equals();
    void confirm_equals();

    void open_page(uint64_t number);
    void close_pages();
    // kUndefined where its page is not open.
    uint32_t leaf_of(uint32_t number) const {
        const uint32_t page = number / StackIds::kPage;
        if (page >= pages_.size() || pages_[page] == kUndefined) return kUndefined;
        return leaves_[place_of(number)];
    }
    size_t place_of(uint32_t number) const {
        return pages_[number / StackIds::kPage] * size_t{StackIds::kPage} +
               number % StackIds::kPage;
    }
    bool is_built(uint32_t number) const {
        return number < kFirstStack || leaf_of(number) != kUndefined;
    }
    uint64_t hash_at(uint32_t node) const {
        return node < kFirstStack ? node : hashes_[node - kFirstStack];
    }

    template <typename T>
    using Array = StackNodes::Array<T>;
    Array<StackNode>& nodes_;
    Array<uint32_t>& leaves_;
    std::vector<uint32_t>& pages_;
    Array<uint32_t>& ids_;
    const ByteSource& bytes_;
    DamageList& damage_;
    Array<uint64_t> hashes_;        // by node: of the path from the outermost frame
    std::vector<Waiting> waiting_;  // by id
    std::vector<uint64_t> waiting_words_;
};

void StackTreeBuilder::build(const std::vector<Chunk>& chunks) {
    uint64_t size = 0;
    for (const Chunk& chunk : chunks) size += chunk.committed;
    // About what a frame takes; more than this is grown to, where it is really there.
    constexpr uint64_t kMostReserved = 64u << 20;
    nodes_.reserve(std::min(size, kMostReserved) / 4);
    hashes_.reserve(std::min(size, kMostReserved) / 4);
    open_page(0);
    // Every id takes more than a byte of the file, used or not.
    const uint64_t id_limit = std::min<uint64_t>(bytes_.size(), UINT32_MAX);
    for (size_t i = 0; i < chunks.size(); ++i) {
        if (chunks[i].base_address < kFirstStack || chunks[i].base_address > id_limit) {
            damage_.add(chunks[i].offset, "stack chunk with impossible ids");
            continue;
        }
        read_chunk(chunks[i], i + 1 < chunks.size() ? chunks[i + 1].base_address : id_limit);
    }
    for (Waiting& one : waiting_) build_with_bases(one);
    std::fill_n(leaves_.begin(), kFirstStack, kUndefined);
    find_equals();
    confirm_equals();
    for (uint32_t& leaf : leaves_) {
        if (leaf == kUndefined) leaf = kStackLost;
    }
    for (uint32_t id = 0; id <= kStackLost; ++id) ids_[id] = leaves_[id] = id;
    close_pages();
}

void StackTreeBuilder::open_page(uint64_t number) {
    const uint64_t page = number / StackIds::kPage;
    if (page >= pages_.size()) pages_.resize(page + 1, kUndefined);
    if (pages_[page] != kUndefined) return;
    pages_[page] = static_cast<uint32_t>(leaves_.size() / StackIds::kPage);
    leaves_.resize(leaves_.size() + StackIds::kPage, kUndefined);
}

// See StackIds: a page that is not there is the last one.
void StackTreeBuilder::close_pages() {
    std::replace(pages_.begin(), pages_.end(), kUndefined,
                 static_cast<uint32_t>(ids_.size() / StackIds::kPage));
    ids_.resize(ids_.size() + StackIds::kPage, 0);
}

// `id_end`: where the next chunk's ids begin, or what no id reaches.
void StackTreeBuilder::read_chunk(const Chunk& chunk, uint64_t id_end) {
    std::vector<uint8_t> payload(chunk.committed + kDecodePadding);
    const size_t got = bytes_.read(chunk.offset, payload.data(), chunk.committed);
    const uint8_t* at = payload.data();
    const uint8_t* const end = at + got;
    std::vector<uint64_t> words;
    uint64_t word = 0;
    uint64_t id = chunk.base_address;
    uint32_t epoch = 0;
    while (at < end) {
        const uint8_t* const begin = at;
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
        words.clear();
        for (uint64_t i = 0; good && i < count; ++i) {
            uint64_t delta = 0;
            at = at < end ? read_varint(at, delta) : nullptr;
            good = at != nullptr && at <= end;
            word += static_cast<uint64_t>(unzigzag(delta));
            words.push_back(word);
        }
        if (!good) {
            damage_.add(chunk.offset + static_cast<uint64_t>(begin - payload.data()),
                        "impossible definition of stack " + std::to_string(id) +
                            "; the rest of its chunk is skipped");
            return;
        }
        const Definition definition = {static_cast<uint32_t>(id), static_cast<uint32_t>(base_id),
                                       static_cast<uint32_t>(drop), epoch};
        open_page(id);
        if (is_built(definition.base)) {
            add(definition, words);
        } else {
            wait(definition, words);
        }
        ++id;
    }
}

void StackTreeBuilder::wait(const Definition& definition, Words words) {
    waiting_.push_back({definition, waiting_words_.size(), words.size()});
    waiting_words_.insert(waiting_words_.end(), words.begin(), words.end());
}

// First those that it is based on, and that wait as well.
void StackTreeBuilder::build_with_bases(Waiting& first) {
    std::vector<Waiting*> chain;
    for (Waiting* one = &first; one != nullptr && !one->is_begun;) {
        one->is_begun = true;
        chain.push_back(one);
        const uint32_t base = one->definition.base;
        const auto at = std::lower_bound(
            waiting_.begin(), waiting_.end(), base,
            [](const Waiting& other, uint32_t id) { return other.definition.id < id; });
        one = at != waiting_.end() && at->definition.id == base ? &*at : nullptr;
    }
    for (; !chain.empty(); chain.pop_back()) {
        const Waiting& one = *chain.back();
        add(one.definition, Words(waiting_words_).subspan(one.first_word, one.words));
    }
}

void StackTreeBuilder::add(const Definition& definition, Words words) {
    uint32_t outer = kStackLost;
    if (definition.base < kFirstStack) {
        outer = std::min<uint32_t>(definition.base, kStackLost);
    } else if (is_built(definition.base)) {
        outer = leaf_of(definition.base);
        for (uint32_t i = 0; i < definition.drop && outer >= kFirstStack; ++i) {
            outer = nodes_[outer - kFirstStack].parent;
        }
    }
    uint64_t hash = hash_at(outer);
    for (const uint64_t word : words) {
        const uint64_t pc = word >> 1 | (word & 1 ? trace::kExactPc : 0);
        hash = mixed(mixed(hash, pc), definition.epoch);
        hashes_.push_back(hash);
        nodes_.push_back({outer, definition.epoch, pc});
        outer = kFirstStack + static_cast<uint32_t>(nodes_.size()) - 1;
    }
    leaves_[place_of(definition.id)] = outer;
}

// By hash: the first of equal ones stands for all.
void StackTreeBuilder::find_equals() {
    struct First {
        uint32_t id;  // 0: an unused slot
        uint32_t hash;
    };
    ids_.assign(leaves_.size(), 0);
    // Open addressing, at most two thirds full.
    const size_t slots = std::bit_ceil(leaves_.size() + leaves_.size() / 2);
    const int shift = 64 - std::countr_zero(slots);
    Array<First> table(slots);
    constexpr size_t kAhead = 16;
    for (uint32_t id = kFirstStack; id < leaves_.size(); ++id) {
        if (id + kAhead < leaves_.size() && leaves_[id + kAhead] != kUndefined) {
            __builtin_prefetch(&table[hash_at(leaves_[id + kAhead]) >> shift], 1);
        }
        if (leaves_[id] == kUndefined) continue;
        const uint64_t hash = hash_at(leaves_[id]);
        const auto low = static_cast<uint32_t>(hash);
        size_t slot = hash >> shift;
        while (table[slot].id != 0 && table[slot].hash != low) slot = (slot + 1) & (slots - 1);
        if (table[slot].id == 0) table[slot] = {id, low};
        ids_[id] = table[slot].id;
    }
}

// An equal hash is no proof. Apart from the search, so that what the first ones are made of can be
// asked for ahead: they lie anywhere.
void StackTreeBuilder::confirm_equals() {
    constexpr uint32_t kAhead = 16;
    const auto size = static_cast<uint32_t>(ids_.size());
    const auto stands_for_another = [&](uint32_t id) { return id < size && ids_[id] < id; };
    for (uint32_t id = kFirstStack; id < size; ++id) {
        if (stands_for_another(id + 2 * kAhead))
            __builtin_prefetch(&leaves_[ids_[id + 2 * kAhead]]);
        if (stands_for_another(id + kAhead)) {
            const uint32_t leaf = leaves_[ids_[id + kAhead]];
            if (leaf >= kFirstStack && leaf != kUndefined)
                __builtin_prefetch(&nodes_[leaf - kFirstStack]);
        }
        if (!stands_for_another(id) || leaves_[id] == kUndefined) continue;
        if (!same_path(nodes_, leaves_[ids_[id]], leaves_[id])) ids_[id] = id;
    }
}

StackNodes::StackNodes(const ByteSource& bytes, const std::vector<Chunk>& chunks,
                       DamageList& damage) {
    StackTreeBuilder(*this, bytes, damage).build(chunks);
}

}  // namespace lastref
