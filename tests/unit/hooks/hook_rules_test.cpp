#include "hook_rules.h"

#include <memory>
#include <string>
#include <vector>

#include "support/catch.h"

using namespace lastref::hooks;

namespace {

struct Parsed {
    std::unique_ptr<RuleSet> rules = std::make_unique<RuleSet>();
    std::string text;
    std::vector<std::string> errors;

    explicit Parsed(std::string rules_text) : text(std::move(rules_text)) {
        parse_rules(
            *rules, "file", text.data(), text.size(),
            [](void* to, const RuleError& error) {
                static_cast<Parsed*>(to)->errors.push_back(std::to_string(error.line) + ":" +
                                                           std::to_string(error.column) + " " +
                                                           error.expected);
            },
            this);
    }
};

const std::string kHead = "lib libx.so.1|libx.so.2\nobj X rc=-i32@-32 revives if id > 1\n";

}  // namespace

TEST_CASE("a rule file: libraries, types and rules") {
    const Parsed parsed(kHead +
                        "  # a comment\non x_ref out retain id=[[a0+8]-0x10] if s3 & 4 "
                        "and ret != -1 stack=12 optional # more\n");
    CHECK(parsed.errors.empty());
    REQUIRE(parsed.rules->rule_count == 1);
    const Type& type = parsed.rules->types[0];
    CHECK(type.name == "X");
    CHECK((type.counter.known && type.counter.negated && type.counter.offset == -32));
    CHECK((type.revives && !type.implicit && type.conditions == 1));
    const Rule& rule = parsed.rules->rules[0];
    CHECK(rule.function == "x_ref");
    CHECK((rule.when == When::kOut && rule.operation == Operation::kRetain && rule.optional));
    CHECK((rule.stack_words == 12 && rule.conditions == 2));
    CHECK(rule.condition[1].left.base == Base::kReturn);
    CHECK(rule.condition[1].right == -1);
    REQUIRE(rule.identity.steps == 4);
    CHECK((rule.identity.step[0].offset == 8 && rule.identity.step[1].load));
    CHECK((rule.identity.step[2].offset == -16 && rule.identity.step[3].load));
}

TEST_CASE("an error names the place and what was expected there; other lines stay") {
    const Parsed parsed(kHead +
                        "on f in retain id=a6\non g in retain id=a5\nwhat\n"
                        "on h in retain id=ret\non i in swap id=a0\n");
    CHECK(parsed.errors == std::vector<std::string>{"3:19 a0 to a5", "5:1 lib, obj, on or slot",
                                                    "6:6 out, where ret is known",
                                                    "7:6 inout before swap"});
    REQUIRE(parsed.rules->rule_count == 1);
    CHECK(parsed.rules->rules[0].function == "g");
}

TEST_CASE("functions by pattern, offset, pointer and slot") {
    const Parsed parsed(kHead +
                        "on \"N::f(*)\" in touch id=a0\non +0x1f/0a1b2c in touch id=a0\n"
                        "on *[id+8] in destroy id=a0\nslot table+16 destroy id=a0\n");
    CHECK(parsed.errors.empty());
    REQUIRE(parsed.rules->rule_count == 4);
    CHECK(parsed.rules->rules[0].target == Target::kDemangled);
    CHECK(parsed.rules->rules[1].offset == 0x1f);
    CHECK(parsed.rules->rules[2].target == Target::kPointer);
    CHECK((parsed.rules->rules[3].target == Target::kSlot && parsed.rules->rules[3].offset == 16));
}

TEST_CASE("patterns of sonames") {
    const Word patterns = {"libx.so.1|liby*.so.?", 20};
    CHECK(matches_any(patterns, "libx.so.1"));
    CHECK(matches_any(patterns, "libyes-2.so.7"));
    CHECK_FALSE(matches_any(patterns, "libx.so.11"));
    CHECK_FALSE(matches_any(patterns, "liby.so."));
}
