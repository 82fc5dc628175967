#include "hook_rules.h"

#include <string.h>

#include "hook_expressions.h"

namespace lastref::hooks {
namespace {

struct OperationName {
    const char* name;
    Operation operation;
};
constexpr OperationName kOperations[] = {
    {"create", Operation::kCreate},   {"create?", Operation::kCreateIfNew},
    {"retain", Operation::kRetain},   {"release", Operation::kRelease},
    {"swap", Operation::kSwap},       {"move", Operation::kMove},
    {"destroy", Operation::kDestroy}, {"destroy?", Operation::kDestroyIfTracked},
    {"touch", Operation::kTouch},
};

class Parser {
public:
    Parser(RuleSet& rules, uint32_t file, ReportError report, void* context)
        : rules_(rules), file_(file), report_(report), context_(context) {}

    void line(const char* begin, const char* end, uint32_t number);
    uint32_t errors() const { return errors_; }

private:
    void library(Reader& in);
    void type(Reader& in);
    void on(Reader& in, Rule& rule);
    void slot(Reader& in, Rule& rule);
    void function(Reader& in, Rule& rule);
    void operation(Reader& in, Rule& rule);
    void check(Reader& in, const Rule& rule, const char* start);
    void add(Reader& in, Rule& rule);

    void counter(Reader& in, Counter& made);

    RuleSet& rules_;
    const uint32_t file_;
    const ReportError report_;
    void* const context_;
    uint32_t errors_ = 0;
    bool have_library_ = false, have_type_ = false;
    // The library or type that wrong lines follow is missing: they are left out, without a word.
    bool library_is_wrong_ = false, type_is_wrong_ = false;
};

void Parser::line(const char* begin, const char* end, uint32_t number) {
    Reader in(begin, end);
    if (in.at_end()) return;
    const char* const start = in.position();
    Rule rule;
    rule.file = file_;
    rule.line = number;
    if (in.take_word("lib")) {
        library(in);
        library_is_wrong_ = in.failed();
        type_is_wrong_ = false;
    } else if (library_is_wrong_) {
        return;
    } else if (in.take_word("obj")) {
        type(in);
        type_is_wrong_ = in.failed();
    } else if (type_is_wrong_) {
        return;
    } else if (in.take_word("on")) {
        on(in, rule);
    } else if (in.take_word("slot")) {
        slot(in, rule);
    } else {
        in.fail_at(start, "lib, obj, on or slot");
    }
    if (!in.at_end()) in.fail("the end of the line");
    if (!in.failed()) return;
    errors_++;
    if (report_) {
        const RuleError error = {rules_.files[file_], number, in.column(), in.expected(),
                                 in.found()};
        report_(context_, error);
    }
}

void Parser::library(Reader& in) {
    have_type_ = false;
    const Word patterns = in.word();
    if (patterns.empty()) in.fail("a soname, a pattern of sonames, or <exe>");
    if (rules_.library_count == RuleSet::kLibraries) in.fail("fewer libraries");
    if (in.failed() || !in.at_end()) return;
    rules_.libraries[rules_.library_count++].patterns = patterns;
    have_library_ = true;
}

void Parser::counter(Reader& in, Counter& made) {
    made.negated = in.take("-");
    if (!read_width(in, made.width)) return in.fail("u8, u16, u32, u64, i32 or i64");
    int64_t offset = 0;
    if (!in.take("@") || !in.number(offset) || offset > kMostOffset || offset < -kMostOffset) {
        return in.fail("@ and an offset in bytes");
    }
    made.offset = static_cast<int32_t>(offset);
    made.known = true;
}

void Parser::type(Reader& in) {
    Type made;
    const char* const start = in.position();
    made.name = in.word();
    if (made.name.empty() || made.name.size > 200) in.fail_at(start, "the type's name");
    if (!have_library_) in.fail_at(start, "a lib line before");
    if (rules_.type_count == RuleSet::kTypes) in.fail("fewer types");
    while (!in.at_end()) {
        if (in.take("rc="))
            counter(in, made.counter);
        else if (in.take_word("revives"))
            made.revives = true;
        else if (in.take_word("implicit"))
            made.implicit = true;
        else if (in.take_word("if"))
            read_conditions(in, made.condition, made.conditions, true);
        else
            in.fail("rc=, revives, implicit or if");
    }
    if (in.failed()) return;
    made.library = rules_.library_count - 1;
    rules_.types[rules_.type_count++] = made;
    have_type_ = true;
}

void Parser::function(Reader& in, Rule& rule) {
    in.skip_blanks();
    const char* const start = in.position();
    rule.column = in.column_of(start);
    if (in.take("*")) {
        rule.target = Target::kPointer;
        rule.pointer = read_expression(in, false);
        rule.optional = true;
        return;
    }
    if (in.take("+")) {
        rule.target = Target::kOffset;
        int64_t offset = 0;
        if (!in.number(offset) || offset < 0 || !in.take("/")) {
            return in.fail("an offset, a slash and a build-id, as +0x1234/0a1b2c");
        }
        rule.offset = static_cast<uint64_t>(offset);
        rule.build_id = in.word();
        if (rule.build_id.size < 6) in.fail("at least 6 digits of the build-id");
        return;
    }
    bool quoted = false;
    rule.function = in.word(&quoted);
    if (rule.function.empty()) return in.fail_at(start, "a function");
    if (quoted) rule.target = Target::kDemangled;
}

void Parser::operation(Reader& in, Rule& rule) {
    in.skip_blanks();
    for (const OperationName& one : kOperations) {
        if (in.take_word(one.name)) {
            rule.operation = one.operation;
            in.skip_blanks();
            if (!in.take("id=")) return in.fail("id=EXPRESSION");
            rule.identity = read_expression(in, false);
            return;
        }
    }
    in.fail("create, create?, retain, release, swap, move, destroy, destroy? or touch");
}

void Parser::on(Reader& in, Rule& rule) {
    function(in, rule);
    in.skip_blanks();
    const char* const when = in.position();
    if (in.take_word("inout"))
        rule.when = When::kBoth;
    else if (in.take_word("in"))
        rule.when = When::kIn;
    else if (in.take_word("out"))
        rule.when = When::kOut;
    else
        in.fail("in, out or inout");
    operation(in, rule);
    while (!in.at_end()) {
        int64_t words = 0;
        if (in.take_word("if")) {
            read_conditions(in, rule.condition, rule.conditions, false);
        } else if (in.take("stack=")) {
            if (!in.number(words) || words < 0 || words > static_cast<int64_t>(kMaxStackWords))
                in.fail("a number of words, at most 64");
            rule.stack_words = static_cast<uint8_t>(words);
        } else if (in.take_word("nest")) {
            rule.nest = true;
        } else if (in.take_word("optional")) {
            rule.optional = true;
        } else {
            in.fail("if, stack=, nest or optional");
        }
    }
    check(in, rule, when);
    add(in, rule);
}

void Parser::slot(Reader& in, Rule& rule) {
    rule.target = Target::kSlot;
    in.skip_blanks();
    const char* const begin = in.position();
    rule.column = in.column_of(begin);
    const Word word = in.word();
    uint32_t size = 0;
    while (size < word.size && word.text[size] != '+') size++;
    rule.function = {word.text, size};
    if (size == 0) in.fail_at(begin, "a symbol");
    if (size < word.size) {
        Reader offset(word.text + size + 1, word.text + word.size);
        int64_t value = 0;
        if (!offset.number(value) || value < 0 || !offset.at_end())
            in.fail_at(word.text + size, "+OFFSET in bytes");
        rule.offset = static_cast<uint64_t>(value);
    }
    operation(in, rule);
    if (in.take_word("if")) read_conditions(in, rule.condition, rule.conditions, false);
    check(in, rule, begin);
    add(in, rule);
}

// What can't be said of the chosen moment.
void Parser::check(Reader& in, const Rule& rule, const char* start) {
    if (rule.operation == Operation::kSwap && rule.when != When::kBoth)
        in.fail_at(start, "inout before swap");
    if (rule.when == When::kBoth && rule.operation != Operation::kSwap &&
        rule.operation != Operation::kMove)
        in.fail_at(start, "in or out: inout is for swap and move");
    if (rule.when != When::kOut) {
        if (rule.identity.uses_return()) in.fail_at(start, "out, where ret is known");
        for (unsigned i = 0; i < rule.conditions; i++) {
            if (rule.condition[i].left.uses_return()) in.fail_at(start, "out, where ret is known");
        }
    }
}

void Parser::add(Reader& in, Rule& rule) {
    if (!have_type_) in.fail("an obj line before");
    if (rules_.rule_count == RuleSet::kRules) in.fail("fewer rules");
    if (in.failed()) return;
    rule.library = rules_.library_count - 1;
    rule.type = rules_.type_count - 1;
    rules_.rules[rules_.rule_count++] = rule;
}

}  // namespace

bool Word::operator==(const char* other) const {
    return strlen(other) == size && memcmp(text, other, size) == 0;
}

const char* operation_name(Operation operation) {
    for (const OperationName& one : kOperations) {
        if (one.operation == operation) return one.name;
    }
    return "";
}

uint32_t parse_rules(RuleSet& rules, const char* file, const char* text, size_t size,
                     ReportError report, void* context) {
    if (rules.file_count == kMaxRuleFiles) {
        const RuleError error = {file, 1, 1, "at most 32 rule files", {}};
        if (report) report(context, error);
        return 1;
    }
    rules.files[rules.file_count] = file;
    Parser parser(rules, rules.file_count++, report, context);
    const char* const end = text + size;
    uint32_t number = 0;
    while (text < end) {
        const auto* line_end =
            static_cast<const char*>(memchr(text, '\n', static_cast<size_t>(end - text)));
        if (!line_end) line_end = end;
        parser.line(text, line_end, ++number);
        text = line_end + 1;
    }
    return parser.errors();
}

bool matches(const Word& pattern, const char* text) {
    // Linear with one point to come back to: where the last '*' stood.
    const char* p = pattern.text;
    const char* const end = p + pattern.size;
    const char* star = nullptr;
    const char* retry = nullptr;
    while (*text) {
        if (p < end && *p == '*') {
            star = p++;
            retry = text;
        } else if (p < end && (*p == '?' || *p == *text)) {
            p++, text++;
        } else if (star) {
            p = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (p < end && *p == '*') p++;
    return p == end;
}

bool matches_any(const Word& patterns, const char* text) {
    uint32_t begin = 0;
    for (uint32_t i = 0; i <= patterns.size; i++) {
        if (i < patterns.size && patterns.text[i] != '|') continue;
        if (matches({patterns.text + begin, i - begin}, text)) return true;
        begin = i + 1;
    }
    return false;
}

}  // namespace lastref::hooks
