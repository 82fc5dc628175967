// Shared by all programs of the blame benchmark: a buffer, noise around it, and the variations.
//
// A program holds scenarios, one for each kind of fault. A scenario handles items: `begin` makes
// the item's buffer and does the first half of its life, `finish` the second, on the same thread or
// on another one. `item.fault` says whether this item is to go wrong. The line that is to blame
// carries a comment '// truth: SCENARIO CAUSE FUNCTION', which is all that the harness knows of the
// truth.
#ifndef BLAME_SCENE_H
#define BLAME_SCENE_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <lastref/lastref.h>

#define FRAME __attribute__((noinline))
// Built twice: with the counting functions as frames of their own, and inlined into their callers.
#ifdef INLINE_WRAPPERS
#define WRAPPER __attribute__((always_inline)) inline
#else
#define WRAPPER __attribute__((noinline)) inline
#endif

struct Variation {
    std::string scenario;
    uint64_t items = 600;
    uint64_t rate = 20;           // one item in so many goes wrong; 0: none, 1: all
    bool once = false;            // only one item does
    std::string threads = "one";  // one, two, queue
    unsigned depth = 5;           // frames around the work
    bool second = false;          // an unrelated fault of another type beside it
    unsigned hidden = 0;          // per cent of the releases that no hook sees
    bool counted = false;         // the true counter is reported now and then
    unsigned shape = 0;           // what the noise looks like
    unsigned rounds = 1;          // how often noise_before() makes its noise
    uint64_t seed = 1;
};
extern Variation variation;

// splitmix64
inline uint64_t random_of(uint64_t state) {
    state += 0x9e3779b97f4a7c15u;
    state = (state ^ state >> 30) * 0xbf58476d1ce4e5b9u;
    state = (state ^ state >> 27) * 0x94d049bb133111ebu;
    return state ^ state >> 31;
}

class Buffer {
public:
    FRAME static Buffer* create(const char* type, size_t size = 96);
    WRAPPER void retain() {
        ++count_;
        lastref_retain(this);
    }
    WRAPPER void release() {
        if (!hides()) lastref_release(this);
        if (--count_ == 0) dispose();
    }
    FRAME void touch(const char* hint) {
        lastref_touch(this, hint);
        if (variation.counted) lastref_count(this, count_);
    }
    void retain_unseen() { ++count_; }
    void release_unseen() {
        if (--count_ == 0) dispose();
    }
    int count() const { return count_; }
    void set_count(int count) { count_ = count; }
    FRAME void dispose();
    void* payload() { return this + 1; }

private:
    bool hides();
    std::atomic<int> count_{1};
    unsigned operations_ = 0;
    uint64_t identity_ = 0;
};

// A reference as an object.
class Ref {
public:
    WRAPPER explicit Ref(Buffer* buffer) : buffer_(buffer) { buffer_->retain(); }
    WRAPPER ~Ref() { buffer_->release(); }
    Ref(const Ref&) = delete;
    Ref& operator=(const Ref&) = delete;
    Buffer* get() const { return buffer_; }

private:
    Buffer* buffer_;
};

struct Item {
    uint64_t index = 0;
    uint64_t random = 0;
    bool fault = false;
    Buffer* buffer = nullptr;
    Buffer* other = nullptr;  // where a scenario has two
    char* block = nullptr;    // where a scenario has a plain block instead
    uint64_t state = 0;
    std::vector<Buffer*> deferred;  // noise of this item that ends in its second half
};

struct Scenario {
    const char* name;
    void (*begin)(Item&);
    void (*finish)(Item&);
    void (*at_end)() = nullptr;  // after all items
};

// Balanced work on a buffer that other code does, in ways that differ from item to item. The first
// half may leave something to the second.
void noise_before(Item& item);
void noise_after(Item& item);

// Runs what the command line asks for of `scenarios`.
int run_scenarios(std::span<const Scenario> scenarios, int argc, char** argv);

#endif  // BLAME_SCENE_H
