// Where the JSON report goes, value by value: the report is written in the order of its schema, and
// no tree of it is made. TextJson makes text of it; the HTML report has another sink, which keeps
// each frame once.
#ifndef LASTREF_ANALYZER_REPORT_JSON_SINK_H
#define LASTREF_ANALYZER_REPORT_JSON_SINK_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyze/stack.h"

namespace lastref {

class JsonSink {
public:
    virtual ~JsonSink() = default;

    virtual void begin_object() = 0;
    virtual void end_object() = 0;
    virtual void begin_array() = 0;
    virtual void end_array() = 0;
    virtual void key(std::string_view key) = 0;

    virtual void null() = 0;
    virtual void value(bool value) = 0;
    virtual void value(uint64_t value) = 0;
    virtual void value(int64_t value) = 0;
    virtual void value(double value) = 0;
    // Whatever bytes it holds.
    virtual void value(std::string_view text) = 0;
    // FRAME. Must stay where it is and as it is while this sink is written to.
    virtual void value(const Frame& frame) = 0;

    void value(int32_t number) { value(int64_t{number}); }
    void value(uint32_t number) { value(uint64_t{number}); }
    void value(const char* text) { value(std::string_view(text)); }
    void value(const std::string& text) { value(std::string_view(text)); }

    template <typename Value>
    void member(std::string_view name, const Value& of) {
        key(name);
        value(of);
    }
    // `write(item)` writes each.
    template <typename Items, typename Write>
    void array(std::string_view name, const Items& items, Write&& write) {
        key(name);
        begin_array();
        for (const auto& item : items) write(item);
        end_array();
    }
    template <typename Items>
    void array(std::string_view name, const Items& items) {
        array(name, items, [this](const auto& item) { value(item); });
    }
};

// Indented by two, valid UTF-8: what is none becomes U+FFFD.
class TextJson final : public JsonSink {
public:
    using JsonSink::value;

    void begin_object() override { begin('{'); }
    void end_object() override { end('}'); }
    void begin_array() override { begin('['); }
    void end_array() override { end(']'); }
    void key(std::string_view key) override;
    void null() override { put("null"); }
    void value(bool value) override { put(value ? "true" : "false"); }
    void value(uint64_t value) override { put(std::to_string(value)); }
    void value(int64_t value) override { put(std::to_string(value)); }
    void value(double value) override;
    void value(std::string_view text) override;
    void value(const Frame& frame) override;

    // The text so far, which is whole where every begin has had its end.
    std::string take() { return std::move(text_); }

private:
    void begin(char bracket);
    void end(char bracket);
    void put(std::string_view text);
    void begin_value();
    void begin_line();
    void write_frame(const Frame& frame);

    std::string text_;
    size_t depth_ = 0;
    bool is_first_ = true;  // of the innermost object or array
    bool has_key_ = false;  // and its value comes next
    // A trace has few frames and many stacks: the text of each, by depth.
    std::vector<std::unordered_map<const Frame*, std::string>> frames_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_JSON_SINK_H
