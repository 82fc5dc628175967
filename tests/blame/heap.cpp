// Plain heap blocks, without reference counts: frees that do not come, and blocks that are kept for
// good reasons (rows 4 to 7, 18, 20, 29, 30 and 31 of doc/lifecycle-bugs.md).
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <stdexcept>

#include "scene.h"

// The blocks that all scenarios make, of various sizes.
struct Block {
    FRAME static char* make(uint64_t random) {
        auto* block = static_cast<char*>(std::malloc(32 + random % 64));
        std::memset(block, 1, 32);
        return block;
    }
};
// 4: forgotten on an error path.
struct Line {
    FRAME static bool is_valid(const char* text, bool fault) { return text[0] == 1 && !fault; }
    FRAME static void parse(Item& item) {
        char* const text = Block::make(item.random);
        if (!is_valid(text, item.fault)) return;
        std::free(text);  // truth: heap_error_path missing-release Line::parse
        asm volatile("");
    }
    FRAME static void begin(Item& item) { parse(item); }
    FRAME static void finish(Item&) {}
};

// 5: the function that frees is not called.
struct Order {
    FRAME static void close(Item& item) {
        std::free(item.block);  // truth: heap_early_return missing-release Order::close
        asm volatile("");
    }
    FRAME static void begin(Item& item) { item.block = Block::make(item.random); }
    FRAME static void finish(Item& item) {
        if (!item.fault) close(item);
    }
};

// 6: skipped by an exception.
struct Import {
    FRAME static void load(Item& item) {
        if (item.fault) throw std::runtime_error("broken");
    }
    FRAME static void run(Item& item) {
        char* const row = Block::make(item.random);
        load(item);
        std::free(row);  // truth: heap_unwound missing-release Import::run
        asm volatile("");
    }
    FRAME static void begin(Item& item) {
        try {
            run(item);
        } catch (const std::runtime_error&) {
        }
    }
    FRAME static void finish(Item&) {}
};

// 18: freed by the one who takes it over, or by the caller where nobody does.
struct Outbox {
    FRAME static void sent(Item& item) {
        std::free(item.block);
        asm volatile("");
    }
    FRAME static void post(Item& item) {
        if (item.fault || item.random % 4 == 0) {
            if (item.fault) return;
            std::free(item.block);  // truth: heap_not_taken missing-release Outbox::post
            return;
        }
        sent(item);
    }
    FRAME static void begin(Item& item) { item.block = Block::make(item.random); }
    FRAME static void finish(Item& item) { post(item); }
};

// 20: a pointer is overwritten without freeing what it pointed to.
struct Title {
    static char*& current() {
        static thread_local char* pointer = nullptr;
        return pointer;
    }
    FRAME static void set(char* text, bool forgets) {
        if (!forgets) std::free(current());  // truth: heap_overwritten missing-release Title::set
        current() = text;
    }
    FRAME static void begin(Item&) {}
    FRAME static void finish(Item& item) {
        set(Block::make(item.random), item.fault);
        if (item.index + 2 >= variation.items) set(nullptr, false);
    }
};

// 29, a decoy: a cache of bounded size.
struct HeapCache {
    static std::vector<char*>& entries() {
        static thread_local std::vector<char*> all;
        return all;
    }
    FRAME static void evict(size_t at) {
        std::free(entries()[at]);
        entries().erase(entries().begin() + static_cast<std::ptrdiff_t>(at));
    }
    FRAME static void begin(Item&) {}
    FRAME static void finish(Item& item) {
        entries().push_back(Block::make(item.random));
        const bool oldest = variation.seed % 2 == 0;
        if (entries().size() > 16) evict(oldest ? 0 : item.random % 16);
    }
};

// 31, a decoy: names are kept when they are new, which few are after the start.
struct Names {
    static std::vector<char*>& known() {
        static thread_local std::vector<char*> all(64);
        return all;
    }
    FRAME static void begin(Item& item) {
        char* const name = Block::make(item.random);
        char*& place = known()[item.random % 12];
        if (place == nullptr) {
            place = name;
        } else {
            std::free(name);
        }
    }
    FRAME static void finish(Item&) {}
};

// 31, a decoy: words of a language, few of which are frequent. One table for all threads; words
// that are new come ever more seldom, and never stop.
struct Words {
    static constexpr double kAll = 400;
    static char*& known(uint64_t word) {
        static std::array<char*, static_cast<size_t>(kAll)> all;
        return all[word];
    }
    FRAME static bool keep(uint64_t word, char* text) {
        static std::mutex mutex;
        const std::lock_guard lock(mutex);
        if (known(word) != nullptr) return false;
        known(word) = text;
        return true;
    }
    FRAME static void begin(Item& item) {
        char* const text = Block::make(item.random);
        const double share = static_cast<double>(item.random >> 11) * 0x1p-53;
        if (!keep(static_cast<uint64_t>(std::pow(kAll, share)) - 1, text)) std::free(text);
    }
    FRAME static void finish(Item&) {}
};

// 30, a decoy for counts of frees: a table that grows, and a part of its entries is removed, of
// whatever age.
struct HeapTable {
    static std::vector<char*>& entries() {
        static thread_local std::vector<char*> all;
        return all;
    }
    FRAME static void remove(uint64_t random) {
        const size_t at = random % entries().size();
        std::free(entries()[at]);
        entries().erase(entries().begin() + static_cast<std::ptrdiff_t>(at));
    }
    FRAME static void begin(Item&) {}
    FRAME static void finish(Item& item) {
        entries().push_back(Block::make(item.random));
        const uint64_t removed = 2u << variation.seed % 3;  // one in so many
        if ((item.random >> 32) % removed == 0) remove(item.random);
    }
};

int main(int argc, char** argv) {
    static constexpr Scenario scenarios[] = {
        {"heap_error_path", Line::begin, Line::finish},
        {"heap_early_return", Order::begin, Order::finish},
        {"heap_unwound", Import::begin, Import::finish},
        {"heap_not_taken", Outbox::begin, Outbox::finish},
        {"heap_overwritten", Title::begin, Title::finish},
        {"heap_cache", HeapCache::begin, HeapCache::finish},
        {"heap_names", Names::begin, Names::finish},
        {"heap_words", Words::begin, Words::finish},
        {"heap_table", HeapTable::begin, HeapTable::finish},
    };
    return run_scenarios(scenarios, argc, argv);
}
