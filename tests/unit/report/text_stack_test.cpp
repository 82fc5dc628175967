#include "report/text_stack.h"

#include "report/units.h"
#include "support/catch.h"

using namespace lastref;

namespace {

Frame frame(const std::string& function, const std::string& file, uint32_t line) {
    Frame frame;
    frame.function = function;
    frame.file = file;
    frame.line = line;
    return frame;
}

Frame unresolved(const std::string& function, const std::string& module, uint64_t offset) {
    Frame result = frame(function, "", 0);
    result.module = module;
    result.offset = offset;
    return result;
}

}  // namespace

TEST_CASE("function names are shown without their parameters") {
    CHECK(short_function("Encoder::encode(Buffer&, int)") == "Encoder::encode");
    CHECK(short_function("Encoder::size() const") == "Encoder::size");
    CHECK(short_function("plain") == "plain");
    CHECK(short_function("") == "??");
    CHECK(short_function("Call::operator()(int) const") == "Call::operator()");
    CHECK(short_function("operator()") == "operator()");
    CHECK(short_function("main::{lambda(int)#1}::operator()(int) const") ==
          "main::{lambda(int)#1}::operator()");
    CHECK(short_function("run(void (*)(int))") == "run");
    CHECK(short_function("(anonymous namespace)::run()") == "(anonymous namespace)::run");
    CHECK(short_function("void run<int, A<B> >(int)") == "run<int, A<B> >");
    CHECK(short_function("A<B c> (anonymous namespace)::run<int>(int)") ==
          "(anonymous namespace)::run<int>");
    CHECK(short_function("operator new(unsigned long)") == "operator new");
    CHECK(short_function("A::operator bool() const") == "A::operator bool");
    CHECK(short_function("operator<(A const&, A const&)") == "operator<");
}

TEST_CASE("long template arguments are left out") {
    std::string argument(100, 'x');
    CHECK(short_function("f<" + argument + ">(int)") == "f<...>");
    CHECK(short_function("C<" + argument + ", D<int> >::g<int>(int)") == "C<...>::g<...>");
    CHECK(short_function("operator<< <" + argument + ">(int)") == "operator<< <...>");
    CHECK(short_function("p::operator-><" + argument + ">(int)").starts_with("p::operator->"));
}

TEST_CASE("a frame says where it is as well as it can") {
    CHECK(frame_line(frame("f()", "/home/a/source.cpp", 17)).ends_with("  source.cpp:17"));
    CHECK(frame_line(frame("f", "source.cpp", 0)).ends_with("  source.cpp"));
    CHECK(
        frame_line(unresolved("f", "/usr/lib/libz.so.1", 0x1234)).ends_with("  libz.so.1+0x1234"));
    CHECK(frame_line(unresolved("", "", 0x7f00)).starts_with("?? "));
    CHECK(frame_line(unresolved("", "", 0x7f00)).ends_with(" 0x7f00"));
}

TEST_CASE("stacks show the program's own frames") {
    Stack stack = {frame("operator new(unsigned long)", "", 0),
                   frame("std::vector<int>::push_back(int)", "stl_vector.h", 5),
                   frame("fill(std::vector<int>&)", "fill.cpp", 7),
                   frame("main", "main.cpp", 3),
                   frame("__libc_start_main_impl", "", 0),
                   frame("_start", "", 0)};
    auto lines = stack_lines(stack, 12);
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].starts_with("fill "));
    CHECK(lines[1].starts_with("main "));
}

TEST_CASE("a stack of nothing but plumbing is shown as it is") {
    CHECK(stack_lines({frame("std::locale::locale()", "", 0)}, 12).size() == 1);
    CHECK(stack_lines({}, 12) == std::vector<std::string>{"(no stack was recorded)"});
}

TEST_CASE("long stacks are cut, and say so") {
    const auto deep = [](uint32_t depth) {
        Stack stack;
        for (uint32_t i = 0; i < depth; ++i)
            stack.push_back(frame("f" + std::to_string(i), "f.cpp", i));
        return stack;
    };
    const Stack stack = deep(40);
    auto lines = stack_lines(stack, 12);
    REQUIRE(lines.size() == 13);
    CHECK(lines.back() == "(28 more frames)");
    // One line more costs no more than saying so.
    CHECK(stack_lines(deep(13), 12).size() == 13);
    CHECK(stack_lines(deep(13), 12).back().starts_with("f12 "));
}

TEST_CASE("names can't steer a terminal") {
    CHECK(printable("a\033[31mb\nc\x7f") == "a?[31mb?c?");
    CHECK(printable("\xc2\x9b"
                    "31m") == "?31m");
    CHECK(printable("caf\xc3\xa9") == "caf\xc3\xa9");
    CHECK(printable("\xc2") == "\xc2");
}

TEST_CASE("sizes and counts are readable") {
    CHECK(bytes_text(0) == "0 bytes");
    CHECK(bytes_text(1) == "1 byte");
    CHECK(bytes_text(1023) == "1023 bytes");
    CHECK(bytes_text(256000) == "250.0 KiB");
    CHECK(bytes_text(1048575) == "1.0 MiB");
    CHECK(bytes_text(UINT64_MAX) == "16.0 EiB");
    CHECK(counted(1, "process") == "1 process");
    CHECK(counted(2, "process") == "2 processes");
}
