// A value or the reason why there is none. The analyzer throws no exceptions across files' borders.
#ifndef LASTREF_ANALYZER_READ_RESULT_H
#define LASTREF_ANALYZER_READ_RESULT_H

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace lastref {

// Why a file cannot be used. `advice` says what to do and may be empty.
struct Error {
    std::string file;
    uint64_t offset = 0;  // bytes from the file's start
    std::string reason;
    std::string advice;

    // One line: "FILE: offset N: REASON (ADVICE)".
    std::string message() const {
        std::string text = file + ": offset " + std::to_string(offset) + ": " + reason;
        if (!advice.empty()) text += " (" + advice + ")";
        return text;
    }
};

template <typename T>
class Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(*-explicit-*)
    Result(Error error)
        : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(*-explicit-*)

    explicit operator bool() const { return state_.index() == 0; }
    // Only where operator bool is true.
    T& operator*() { return *std::get_if<0>(&state_); }
    const T& operator*() const { return *std::get_if<0>(&state_); }
    T* operator->() { return std::get_if<0>(&state_); }
    const T* operator->() const { return std::get_if<0>(&state_); }
    // Only where operator bool is false.
    const Error& error() const { return *std::get_if<1>(&state_); }

private:
    std::variant<T, Error> state_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_RESULT_H
