// Which address an allocator gives next, and which block a program frees next, guessed so well that
// a record needs few bits for either.
//
// Allocators give back what was freed last in a size class (glibc's tcache and fast bins,
// jemalloc's and mimalloc's thread caches alike), else they cut the next piece off a larger one.
// Programs free blocks in the order in which they made them, or in the opposite one, or the newest
// first. So blocks are kept in a list per log in the order made, and when freed in a chain per log
// and size class.
//
// Both directions (columns.h) go through the same guesses; only the search for the guess that is
// true exists for packing alone. Unpacked data is never trusted: an impossible choice is a
// failure.
#ifndef LASTREF_ANALYZER_PACK_BLOCK_MODEL_H
#define LASTREF_ANALYZER_PACK_BLOCK_MODEL_H

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "pack/columns.h"
#include "pack/record_coding.h"

namespace lastref::packed {

class BlockModel {
public:
    // Logs are numbered from 0 by the order in which the segment names them; below kMaxLogs.
    static constexpr uint32_t kMaxLogs = 0xffff;

    explicit BlockModel(uint32_t logs) : logs_(logs), index_(kFirstIndexSize, kNone) {}

    // A block of `size` bytes begins at `address`, made in `log` with `stack`.
    template <typename Port>
    bool begin(Port& port, uint32_t log, uint64_t size, uint32_t stack, uint64_t& address);

    // The block at `address` ends in `log`. `habit` is the guess that was true for the same kind of
    // event before. `stack` becomes that with which the block was made, or 0 for an unknown one.
    template <typename Port>
    bool end(Port& port, uint32_t log, uint8_t& habit, uint64_t& address, uint32_t& stack);

private:
    static constexpr uint32_t kNone = UINT32_MAX;
    static constexpr uint16_t kEnded = 0xffff;
    static constexpr uint16_t kSmallClasses = 1024;
    static constexpr size_t kFirstIndexSize = 1u << 10;

    struct Block {
        uint64_t address;
        uint32_t stack;
        uint32_t previous, next;  // in its log's list; once ended, next is in the chain
        uint16_t size_class;
        uint16_t log;  // kEnded: not live
    };
    struct Log {
        uint32_t newest = kNone;
        // The neighbours of the block that this log ended last.
        uint32_t before = kNone, after = kNone;
        uint64_t last_ended = 0;  // address
        // Where the pieces end that were cut last, newest first.
        std::array<uint64_t, 4> cuts{};
        std::vector<uint32_t> ended;  // newest by size class
    };

    // Tokens of kBlockToken.
    static constexpr uint8_t kNewestEnded = 0;
    static constexpr uint8_t kCut = 1;     // + index in Log::cuts
    static constexpr uint8_t kEnded1 = 4;  // + place in the chain, from 1
    static constexpr uint8_t kMostEnded = 24;
    static constexpr uint8_t kUnaligned = 254;  // distance from the newest cut, kBlockAddress
    static constexpr uint8_t kAligned = 255;    // the same in units of 16

    // Tokens of kEndToken. A guess is `steps * kWays + way`.
    enum Way : uint8_t { kAfter, kBefore, kNewest, kWays };
    static constexpr uint8_t kHabit = 0;
    static constexpr uint8_t kGuess = 1;  // + guess
    static constexpr uint8_t kGuesses = 16 * kWays;
    static constexpr uint8_t kUnalignedEnd = 253;  // distance from the address that ended last
    static constexpr uint8_t kAlignedEnd = 254;    // the same in units of 16
    static constexpr uint8_t kAge = 255;           // blocks made since, and it

    // With the 8 bytes that glibc adds; other allocators' classes are no finer.
    static uint16_t class_of(uint64_t size) {
        const uint64_t units = size / 16 + (size % 16 > 8 ? 2 : 1);
        if (units < kSmallClasses) return static_cast<uint16_t>(std::max<uint64_t>(units, 2));
        return static_cast<uint16_t>(kSmallClasses + std::bit_width(units));
    }
    static uint64_t end_of_piece(uint64_t address, uint64_t size) {
        return address + std::max<uint64_t>((size + 8 + 15) & ~uint64_t{15}, 32);
    }

    bool is_live(uint32_t id) const { return id != kNone && blocks_[id].log != kEnded; }
    uint32_t& slot(uint64_t address);
    uint32_t find(uint64_t address) { return slot(address); }
    void grow_index();
    void add(uint32_t log, uint64_t size, uint32_t stack, uint64_t address);
    void unlink(uint32_t id);
    uint32_t follow(const Log& log, uint8_t guess) const;
    uint8_t search(const Log& log, uint32_t id) const;
    // The ended block at `place` in the chain, not taken out; kNone where there is none.
    uint32_t& chain_at(uint32_t& head, unsigned place);

    std::vector<Log> logs_;
    std::vector<Block> blocks_;
    std::vector<uint32_t> index_;  // open addressing: the newest block at an address
    size_t addresses_ = 0;         // in index_
    uint32_t nothing_ = kNone;
};

inline uint32_t& BlockModel::slot(uint64_t address) {
    const size_t mask = index_.size() - 1;
    size_t at = static_cast<size_t>(address * 0x9e3779b97f4a7c15u >> 32) & mask;
    while (index_[at] != kNone && blocks_[index_[at]].address != address) at = (at + 1) & mask;
    return index_[at];
}

inline void BlockModel::grow_index() {
    std::vector<uint32_t> old(index_.size() * 2, kNone);
    old.swap(index_);
    for (const uint32_t id : old) {
        if (id != kNone) slot(blocks_[id].address) = id;
    }
}

inline void BlockModel::add(uint32_t log, uint64_t size, uint32_t stack, uint64_t address) {
    if (addresses_ * 2 >= index_.size()) grow_index();
    uint32_t& known = slot(address);
    if (known == kNone) {
        ++addresses_;
    } else if (is_live(known)) {
        unlink(known);  // its end is in another log's chunk, or was never recorded
    }
    const auto id = static_cast<uint32_t>(blocks_.size());
    Log& owner = logs_[log];
    blocks_.push_back(
        {address, stack, owner.newest, kNone, class_of(size), static_cast<uint16_t>(log)});
    if (owner.newest != kNone) blocks_[owner.newest].next = id;
    owner.newest = id;
    known = id;
}

inline void BlockModel::unlink(uint32_t id) {
    Block& block = blocks_[id];
    if (block.previous != kNone) blocks_[block.previous].next = block.next;
    if (block.next != kNone) {
        blocks_[block.next].previous = block.previous;
    } else {
        logs_[block.log].newest = block.previous;
    }
    block.log = kEnded;
    block.next = kNone;
}

inline uint32_t BlockModel::follow(const Log& log, uint8_t guess) const {
    const uint8_t way = guess % kWays;
    uint32_t id = way == kAfter ? log.after : way == kBefore ? log.before : log.newest;
    if (!is_live(id)) return kNone;
    for (unsigned steps = guess / kWays; steps != 0 && id != kNone; --steps) {
        id = way == kAfter ? blocks_[id].next : blocks_[id].previous;
    }
    return id;
}

// The first guess that leads to the live block `id`, kGuesses where none does.
inline uint8_t BlockModel::search(const Log& log, uint32_t id) const {
    std::array<uint32_t, kWays> at{log.after, log.before, log.newest};
    for (uint32_t& start : at) {
        if (!is_live(start)) start = kNone;
    }
    for (uint8_t guess = 0; guess < kGuesses; ++guess) {
        const uint8_t way = guess % kWays;
        if (at[way] == id) return guess;
        if (at[way] != kNone) {
            at[way] = way == kAfter ? blocks_[at[way]].next : blocks_[at[way]].previous;
        }
    }
    return kGuesses;
}

inline uint32_t& BlockModel::chain_at(uint32_t& head, unsigned place) {
    uint32_t* link = &head;
    while (place != 0 && *link != kNone) {
        link = &blocks_[*link].next;
        --place;
    }
    return *link;
}

template <typename Port>
bool BlockModel::begin(Port& port, uint32_t log, uint64_t size, uint32_t stack, uint64_t& address) {
    Log& own = logs_[log];
    const uint16_t size_class = class_of(size);
    if (size_class >= own.ended.size()) own.ended.resize(size_class + 1u, kNone);
    uint32_t& head = own.ended[size_class];
    // Addresses that came back in another way are no more to be had.
    while (head != kNone && find(blocks_[head].address) != head) head = blocks_[head].next;

    uint8_t token = kAligned;
    if constexpr (Port::kPacks) {
        if (head != kNone && blocks_[head].address == address) {
            token = kNewestEnded;
        } else if (const auto cut = std::find(own.cuts.begin(), own.cuts.end(), address);
                   cut != own.cuts.end()) {
            token = static_cast<uint8_t>(kCut + (cut - own.cuts.begin()));
        } else {
            uint32_t id = head;
            for (uint8_t place = 0; place < kMostEnded && id != kNone; ++place) {
                if (blocks_[id].address == address) {
                    token = kEnded1 + place;
                    break;
                }
                id = blocks_[id].next;
            }
            if (token == kAligned && ((address - own.cuts[0]) & 15) != 0) token = kUnaligned;
        }
    }
    port.byte(kBlockToken, token);
    if (token == kNewestEnded || (token > kEnded1 && token < kEnded1 + kMostEnded)) {
        uint32_t& link = chain_at(head, token == kNewestEnded ? 0 : token - kEnded1);
        if (link == kNone) return false;
        const Block& block = blocks_[link];
        address = block.address;
        link = block.next;
    } else {
        size_t cut = own.cuts.size() - 1;
        if (token >= kCut && token < kCut + own.cuts.size()) {
            cut = token - kCut;
            address = own.cuts[cut];
        } else if (token == kAligned || token == kUnaligned) {
            const uint64_t unit = token == kAligned ? 16 : 1;
            uint64_t distance = 0;
            if constexpr (Port::kPacks) {
                distance = zigzag(static_cast<uint64_t>(
                    static_cast<int64_t>(address - own.cuts[0]) / static_cast<int64_t>(unit)));
            }
            port.number(kBlockAddress, distance);
            address = own.cuts[0] + static_cast<uint64_t>(unzigzag(distance)) * unit;
        } else {
            return false;
        }
        for (; cut != 0; --cut) own.cuts[cut] = own.cuts[cut - 1];
        own.cuts[0] = end_of_piece(address, size);
    }
    if (address != 0) add(log, size, stack, address);
    return true;
}

template <typename Port>
bool BlockModel::end(Port& port, uint32_t log, uint8_t& habit, uint64_t& address, uint32_t& stack) {
    Log& own = logs_[log];
    uint32_t id = kNone;
    uint8_t token = kAlignedEnd;
    if constexpr (Port::kPacks) {
        id = find(address);
        if (!is_live(id)) id = kNone;
        if (id == kNone) {
            token = ((address - own.last_ended) & 15) != 0 ? kUnalignedEnd : kAlignedEnd;
        } else if (follow(own, habit) == id) {
            token = kHabit;
        } else {
            const uint8_t guess = search(own, id);
            token = guess < kGuesses ? static_cast<uint8_t>(kGuess + guess) : kAge;
        }
    }
    port.byte(kEndToken, token);
    uint64_t open = 0;
    if (token < kGuess + kGuesses) {
        if (token != kHabit) habit = static_cast<uint8_t>(token - kGuess);
        if constexpr (!Port::kPacks) id = follow(own, habit);
        if (id == kNone) return false;
    } else if (token == kAge) {
        if constexpr (Port::kPacks) open = blocks_.size() - id;
        port.number(kEndBlock, open);
        if (open == 0 || open > blocks_.size()) return false;
        id = static_cast<uint32_t>(blocks_.size() - open);
        if (!is_live(id)) return false;
    } else if (token == kAlignedEnd || token == kUnalignedEnd) {
        const uint64_t unit = token == kAlignedEnd ? 16 : 1;
        if constexpr (Port::kPacks) {
            open = zigzag(static_cast<uint64_t>(static_cast<int64_t>(address - own.last_ended) /
                                                static_cast<int64_t>(unit)));
        }
        port.number(kEndBlock, open);
        address = own.last_ended + static_cast<uint64_t>(unzigzag(open)) * unit;
        own.last_ended = address;
        stack = 0;
        return true;
    } else {
        return false;
    }
    Block& block = blocks_[id];
    address = own.last_ended = block.address;
    stack = block.stack;
    own.before = block.previous;
    own.after = block.next;
    unlink(id);
    if (block.size_class >= own.ended.size()) own.ended.resize(block.size_class + 1u, kNone);
    uint32_t& head = own.ended[block.size_class];
    block.next = head;
    head = id;
    return true;
}

}  // namespace lastref::packed

#endif  // LASTREF_ANALYZER_PACK_BLOCK_MODEL_H
