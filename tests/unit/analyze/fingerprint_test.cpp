#include "analyze/fingerprint.h"

#include <array>

#include "support/catch.h"

using namespace lastref;

namespace {

Stack stack_of(const std::vector<std::string>& functions, uint32_t line = 1) {
    Stack stack;
    for (const std::string& function : functions) {
        Frame frame;
        frame.function = function;
        frame.line = line;
        frame.offset = line * 16;
        stack.push_back(frame);
    }
    return stack;
}

std::string id_of(Kind kind, const std::string& type, const std::string& cause,
                  const Stack& stack) {
    const std::array<const Stack*, 1> stacks = {&stack};
    return fingerprint(kind, type, cause, stacks);
}

}  // namespace

TEST_CASE("an id does not depend on lines and offsets") {
    CHECK(id_of(Kind::kHeapLeak, "heap", "", stack_of({"a", "b"}, 10)) ==
          id_of(Kind::kHeapLeak, "heap", "", stack_of({"a", "b"}, 99)));
}

TEST_CASE("an id depends on kind, type, cause, functions and their order") {
    const std::string base = id_of(Kind::kRefcountLeak, "B", "extra-retain", stack_of({"a", "b"}));
    CHECK(base.size() == 16);
    CHECK(base != id_of(Kind::kHeld, "B", "extra-retain", stack_of({"a", "b"})));
    CHECK(base != id_of(Kind::kRefcountLeak, "C", "extra-retain", stack_of({"a", "b"})));
    CHECK(base != id_of(Kind::kRefcountLeak, "B", "unknown", stack_of({"a", "b"})));
    CHECK(base != id_of(Kind::kRefcountLeak, "B", "extra-retain", stack_of({"b", "a"})));
    CHECK(base != id_of(Kind::kRefcountLeak, "B", "extra-retain", stack_of({"ab"})));
}

TEST_CASE("recursion of another depth has the same id") {
    CHECK(id_of(Kind::kHeapLeak, "heap", "", stack_of({"a", "f", "f", "f", "b"})) ==
          id_of(Kind::kHeapLeak, "heap", "", stack_of({"a", "f", "b"})));
}

TEST_CASE("equal ids of one process are numbered in source order") {
    std::vector<Finding> findings(3);
    findings[0].id = findings[1].id = findings[2].id = "x";
    findings[0].created = stack_of({"f"}, 30);
    findings[1].created = stack_of({"f"}, 10);
    findings[2].created = stack_of({"f"}, 10);
    findings[2].process = 1;
    tell_apart(findings);
    CHECK(findings[0].id == "x-2");
    CHECK(findings[1].id == "x");
    CHECK(findings[2].id == "x");
}
