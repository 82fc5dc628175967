#include "hook_relocate.h"

#include <cstring>
#include <string>
#include <vector>

#include "support/catch.h"

using namespace lastref::hooks;

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint64_t kFrom = 0x10000, kTo = 0x20000;

std::string moved(const Bytes& code, Relocated& result, size_t size = 0) {
    const char* reason = relocate_prologue(code.data(), size ? size : code.size(), code.size(), 0,
                                           kFrom, kTo, result);
    return reason ? reason : "";
}

// Where the distance that ends at `end` of the result leads to.
uint64_t goal(const Relocated& result, size_t end) {
    int32_t distance;
    std::memcpy(&distance, result.code + end - 4, 4);
    return kTo + end + static_cast<uint64_t>(static_cast<int64_t>(distance));
}

}  // namespace

TEST_CASE("plain instructions are copied, and a jump leads behind them") {
    Relocated result;
    // push %rbp; mov %rsp,%rbp; sub $16,%rsp; ret
    CHECK(moved({0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x10, 0xc3}, result).empty());
    CHECK(result.covered == 8);
    REQUIRE(result.size == 13);
    CHECK(result.code[0] == 0x55);
    CHECK(result.code[8] == 0xe9);
    CHECK(goal(result, 13) == kFrom + 8);
}

TEST_CASE("an address relative to the instruction pointer stays the same address") {
    Relocated result;
    // mov 0x100(%rip),%rax; ret
    CHECK(moved({0x48, 0x8b, 0x05, 0x00, 0x01, 0x00, 0x00, 0xc3}, result).empty());
    CHECK(goal(result, 7) == kFrom + 7 + 0x100);
    // cmpl $0,0x100(%rip): an immediate follows the displacement
    CHECK(moved({0x83, 0x3d, 0x00, 0x01, 0x00, 0x00, 0x00, 0xc3}, result).empty());
    CHECK(goal(result, 6) + 1 == kFrom + 7 + 0x100);
}

TEST_CASE("a short branch is widened") {
    Relocated result;
    // test %rdi,%rdi; je +16; ret and filling
    Bytes code = {0x48, 0x85, 0xff, 0x74, 0x10, 0xc3};
    code.resize(32, 0x90);
    CHECK(moved(code, result).empty());
    CHECK((result.code[3] == 0x0f && result.code[4] == 0x84));
    CHECK(goal(result, 9) == kFrom + 5 + 0x10);
}

TEST_CASE("a call leaves the original return address") {
    Relocated result;
    // call +0x40; ret
    CHECK(moved({0xe8, 0x40, 0x00, 0x00, 0x00, 0xc3}, result).empty());
    CHECK(result.code[0] == 0x68);
    uint32_t low;
    std::memcpy(&low, result.code + 1, 4);
    CHECK(low == kFrom + 5);
    CHECK(goal(result, result.size) == kFrom + 5 + 0x40);
}

TEST_CASE("what can't be moved with certainty is refused") {
    Relocated result;
    // ret, then another function
    CHECK(moved({0xc3, 0x55, 0x48, 0x89, 0xe5, 0xc3}, result, 1) == "too short");
    // ret and padding
    CHECK(moved({0xc3, 0x0f, 0x1f, 0x44, 0x00, 0x00}, result, 1).empty());
    // call *8(%rdi)
    CHECK(moved({0xff, 0x57, 0x08, 0x48, 0x89, 0xe5, 0xc3}, result) ==
          "an instruction at its beginning depends on where it stands");
    // push %rbp; L: dec %edi; mov %eax,%eax; jne L; ret
    CHECK(moved({0x55, 0xff, 0xcf, 0x89, 0xc0, 0x75, 0xfa, 0xc3}, result) ==
          "the function jumps into its own first instructions");
}

TEST_CASE("a neighbour that jumps behind the first instruction is seen") {
    Relocated result;
    // mov %rdi,%rax; cmp $16,%rdx; ret
    const Bytes function = {0x48, 0x89, 0xf8, 0x48, 0x83, 0xfa, 0x10, 0xc3};
    const auto after = [&](Bytes neighbour) {
        Bytes code(64, 0x90);
        code.insert(code.end(), neighbour.begin(), neighbour.end());
        const size_t before = code.size();
        code.insert(code.end(), function.begin(), function.end());
        code.resize(code.size() + 64, 0x90);
        const char* reason = relocate_prologue(code.data() + before, function.size(),
                                               code.size() - before, before, kFrom, kTo, result);
        return std::string(reason ? reason : "");
    };
    const std::string refused = "a neighbour jumps into its first instructions";
    CHECK(after({0xeb, 0x03}) == refused);                             // jmp function+3
    CHECK(after({0xe9, 0x03, 0x00, 0x00, 0x00}) == refused);           // the same, long
    CHECK(after({0x0f, 0x84, 0x03, 0x00, 0x00, 0x00}) == refused);     // je function+3
    CHECK(after({0xeb, 0x00}).empty());                                // jmp function
    CHECK(after({0x48, 0xc7, 0xc0, 0x0f, 0x00, 0xeb, 0x03}).empty());  // mov $0x3eb000f,%rax
}
