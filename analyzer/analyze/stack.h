// Source-level frames, and stacks of them.
//
// The frames of a program are few and its stacks many, so stacks share their frames: a stack is
// copied and kept for a pointer per frame. Frames never change once they are in a stack.
#ifndef LASTREF_ANALYZER_ANALYZE_STACK_H
#define LASTREF_ANALYZER_ANALYZE_STACK_H

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace lastref {

// One source-level frame. A machine frame with n inlined calls becomes n + 1 of these, the
// innermost first. Unknown parts are empty or zero; `module` and `offset` are known even where
// names are not. `offset` is relative to the module's load address (its ELF address).
struct Frame {
    std::string function;  // demangled
    std::string file;
    uint32_t line = 0;
    std::string module;    // path
    std::string build_id;  // lower-case hexadecimal
    uint64_t offset = 0;
    bool inlined = false;
};

// Innermost first, lastref's own frames left out. Reads like a vector of Frames.
class Stack {
    using Shared = std::shared_ptr<const Frame>;

public:
    class Iterator {
    public:
        using iterator_category = std::random_access_iterator_tag;
        using value_type = Frame;
        using difference_type = std::ptrdiff_t;
        using pointer = const Frame*;
        using reference = const Frame&;

        Iterator() = default;
        explicit Iterator(const Shared* at) : at_(at) {}
        reference operator*() const { return **at_; }
        pointer operator->() const { return at_->get(); }
        reference operator[](difference_type by) const { return *at_[by]; }
        Iterator& operator+=(difference_type by) { return at_ += by, *this; }
        Iterator& operator-=(difference_type by) { return at_ -= by, *this; }
        Iterator& operator++() { return *this += 1; }
        Iterator& operator--() { return *this -= 1; }
        Iterator operator++(int) { return Iterator(at_++); }
        Iterator operator--(int) { return Iterator(at_--); }
        Iterator operator+(difference_type by) const { return Iterator(at_ + by); }
        Iterator operator-(difference_type by) const { return Iterator(at_ - by); }
        difference_type operator-(Iterator other) const { return at_ - other.at_; }
        auto operator<=>(const Iterator&) const = default;

    private:
        const Shared* at_ = nullptr;
    };
    using value_type = Frame;
    using iterator = Iterator;
    using const_iterator = Iterator;

    Stack() = default;
    Stack(std::initializer_list<Frame> frames) {
        for (const Frame& frame : frames) push_back(frame);
    }

    void push_back(Frame frame) {
        frames_.push_back(std::make_shared<const Frame>(std::move(frame)));
    }
    void push_back(Shared frame) { frames_.push_back(std::move(frame)); }

    size_t size() const { return frames_.size(); }
    bool empty() const { return frames_.empty(); }
    const Frame& operator[](size_t at) const { return *frames_[at]; }
    const Frame& front() const { return *frames_.front(); }
    const Frame& back() const { return *frames_.back(); }
    Iterator begin() const { return Iterator(frames_.data()); }
    Iterator end() const { return Iterator(frames_.data() + frames_.size()); }

private:
    std::vector<Shared> frames_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_STACK_H
