#include "command/line_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "support/catch.h"

using lastref::LineOutput;

namespace {

// The bytes that `write` puts on standard output.
template <typename Write>
std::string captured(Write&& write) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const int saved = ::dup(STDOUT_FILENO);
    ::dup2(ends[1], STDOUT_FILENO);
    {
        LineOutput out;
        write(out);
        CHECK(out.finish() == "");
    }
    ::dup2(saved, STDOUT_FILENO);
    ::close(saved);
    ::close(ends[1]);
    std::string text(65536, '\0');
    text.resize(
        static_cast<size_t>(std::max<ssize_t>(0, ::read(ends[0], text.data(), text.size()))));
    ::close(ends[0]);
    return text;
}

std::string json(const std::string& text) {
    return captured([&](LineOutput& out) { out.json_string(text); });
}

}  // namespace

TEST_CASE("numbers and addresses are written") {
    CHECK(captured([](LineOutput& out) {
              out.number(uint64_t{18446744073709551615u});
              out.text(" ");
              out.number(int64_t{-7});
              out.text(" ");
              out.hexadecimal(0);
              out.text(" ");
              out.hexadecimal(0x7f00deadbeef);
              out.end_line();
          }) == "18446744073709551615 -7 0x0 0x7f00deadbeef\n");
}

TEST_CASE("JSON strings are escaped and always UTF-8") {
    CHECK(json("a\"b\\c\n\x01") == "\"a\\\"b\\\\c\\u000a\\u0001\"");
    CHECK(json("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80") == "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\"");
    const std::string bad = "\"\xef\xbf\xbd\"";
    CHECK(json("\xff") == bad);
    CHECK(json("\xc3") == bad);
    CHECK(json("\xc0") == bad);
    CHECK(json("\xed\xa0\x80") == "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST_CASE("a reader that goes away closes the output quietly") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const int saved = ::dup(STDOUT_FILENO);
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    LineOutput out;
    out.text("nobody reads this");
    const std::string failure = out.finish();
    ::dup2(saved, STDOUT_FILENO);
    ::close(saved);
    ::close(ends[1]);
    CHECK(out.closed());
    CHECK(failure == "");
}
