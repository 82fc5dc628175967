#include "report/json_sink.h"

#include <nlohmann/json.hpp>

namespace lastref {
namespace {

std::string dumped(const nlohmann::ordered_json& json) {
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

void TextJson::begin(char bracket) {
    begin_value();
    text_ += bracket;
    ++depth_;
    is_first_ = true;
}

void TextJson::end(char bracket) {
    --depth_;
    if (!is_first_) begin_line();
    text_ += bracket;
    is_first_ = false;
}

void TextJson::begin_line() {
    text_ += '\n';
    text_.append(2 * depth_, ' ');
}

// A member's value stands behind its key; what else is in an array has a line of its own.
void TextJson::begin_value() {
    if (std::exchange(has_key_, false) || depth_ == 0) return;
    if (!std::exchange(is_first_, false)) text_ += ',';
    begin_line();
}

void TextJson::put(std::string_view text) {
    begin_value();
    text_ += text;
}

void TextJson::key(std::string_view key) {
    put(dumped(key));
    text_ += ": ";
    has_key_ = true;
}

void TextJson::value(double value) {
    put(dumped(value));
}

void TextJson::value(std::string_view text) {
    put(dumped(text));
}

void TextJson::value(const Frame& frame) {
    begin_value();
    if (frames_.size() <= depth_) frames_.resize(depth_ + 1);
    std::string& known = frames_[depth_][&frame];
    if (!known.empty()) {
        text_ += known;
        return;
    }
    const size_t at = text_.size();
    has_key_ = true;  // its place is made
    write_frame(frame);
    known = text_.substr(at);
}

void TextJson::write_frame(const Frame& frame) {
    begin_object();
    member("function", frame.function);
    member("file", frame.file);
    member("line", frame.line);
    member("module", frame.module);
    member("build_id", frame.build_id);
    member("offset", frame.offset);
    member("inlined", frame.inlined);
    end_object();
}

}  // namespace lastref
