#include "hook_rules.h"

#include <string.h>

namespace lastref::hooks {
namespace {

constexpr int64_t kMostOffset = INT32_MAX;

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
int digit_of(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return 99;
}

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

// Reads one word of the line, character by character, left to right. After an error all else is
// ignored.
class Reader {
public:
    Reader(const char* line, const char* end) : line_(line), at_(line), end_(end) {}

    bool failed() const { return expected_ != nullptr; }
    const char* expected() const { return expected_; }
    uint32_t column() const { return static_cast<uint32_t>(failed_at_ - line_) + 1; }
    Word found() const {
        const char* end = failed_at_;
        while (end < end_ && !is_blank(*end)) end++;
        return {failed_at_, static_cast<uint32_t>(end - failed_at_)};
    }

    void fail(const char* expected) { fail_at(at_, expected); }
    void fail_at(const char* where, const char* expected) {
        if (failed()) return;
        expected_ = expected;
        failed_at_ = where;
    }

    void skip_blanks() {
        while (at_ < end_ && is_blank(*at_)) at_++;
    }
    bool at_end() {
        skip_blanks();
        return failed() || at_ == end_ || *at_ == '#';
    }
    char peek() const { return at_ < end_ ? *at_ : 0; }
    const char* position() const { return at_; }

    bool take(const char* text) {
        const size_t size = strlen(text);
        if (static_cast<size_t>(end_ - at_) < size || memcmp(at_, text, size) != 0) return false;
        at_ += size;
        return true;
    }
    // A whole word.
    bool take_word(const char* text) {
        skip_blanks();
        const char* const before = at_;
        if (take(text) && (at_ == end_ || is_blank(*at_) || *at_ == '#')) return true;
        at_ = before;
        return false;
    }
    // Up to the next blank, or a word in quotes.
    Word word(bool* quoted = nullptr) {
        skip_blanks();
        if (quoted) *quoted = peek() == '"';
        if (peek() == '"') {
            const char* const begin = ++at_;
            while (at_ < end_ && *at_ != '"') at_++;
            const Word word = {begin, static_cast<uint32_t>(at_ - begin)};
            if (at_ == end_)
                fail("a closing quote");
            else
                at_++;
            return word;
        }
        const char* const begin = at_;
        while (at_ < end_ && !is_blank(*at_) && *at_ != '#') at_++;
        return {begin, static_cast<uint32_t>(at_ - begin)};
    }
    // Decimal or 0x; false where there is none.
    bool number(int64_t& value) {
        const char* const before = at_;
        const bool negative = take("-");
        unsigned base = 10;
        if (take("0x")) base = 16;
        const char* const digits = at_;
        uint64_t magnitude = 0;
        while (at_ < end_ && digit_of(*at_) < static_cast<int>(base)) {
            if (magnitude >> 59 != 0) break;  // too long: what is left is no end of a word
            magnitude = magnitude * base + static_cast<uint64_t>(digit_of(*at_++));
        }
        if (at_ == digits) {
            at_ = before;
            return false;
        }
        value = negative ? -static_cast<int64_t>(magnitude) : static_cast<int64_t>(magnitude);
        return true;
    }

private:
    const char* const line_;
    const char* at_;
    const char* const end_;
    const char* expected_ = nullptr;
    const char* failed_at_ = nullptr;
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

    Expression expression(Reader& in, bool in_type, unsigned depth = 0);
    void base(Reader& in, Expression& made, bool in_type);
    void add_step(Reader& in, Expression& made, bool load, Width width, int64_t offset);
    void conditions(Reader& in, Condition* made, uint8_t& count, bool in_type);
    bool width(Reader& in, Width& made);
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

bool Parser::width(Reader& in, Width& made) {
    static constexpr struct {
        const char* name;
        Width width;
    } kWidths[] = {{"u8", Width::kU8},   {"u16", Width::kU16}, {"u32", Width::kU32},
                   {"u64", Width::kU64}, {"i32", Width::kI32}, {"i64", Width::kI64}};
    for (const auto& one : kWidths) {
        if (in.take(one.name)) return made = one.width, true;
    }
    return false;
}

void Parser::counter(Reader& in, Counter& made) {
    made.negated = in.take("-");
    if (!width(in, made.width)) return in.fail("u8, u16, u32, u64, i32 or i64");
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
            conditions(in, made.condition, made.conditions, true);
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
    if (in.take("*")) {
        rule.target = Target::kPointer;
        rule.pointer = expression(in, false);
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
            rule.identity = expression(in, false);
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
            conditions(in, rule.condition, rule.conditions, false);
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
    if (in.take_word("if")) conditions(in, rule.condition, rule.conditions, false);
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

void Parser::add_step(Reader& in, Expression& made, bool load, Width width, int64_t offset) {
    if (made.steps == Expression::kSteps) return in.fail("a shorter expression");
    if (offset > kMostOffset || offset < -kMostOffset) return in.fail("a smaller offset");
    made.step[made.steps++] = {static_cast<int32_t>(offset), width, load};
}

void Parser::base(Reader& in, Expression& made, bool in_type) {
    const char* const start = in.position();
    const auto indexed = [&](Base base, int64_t below) {
        int64_t index = 0;
        if (!is_digit(in.peek()) || !in.number(index) || index >= below) {
            in.fail_at(start, base == Base::kArgument ? "a0 to a5" : "s0 to s31");
        }
        made.base = base;
        made.index = static_cast<uint8_t>(index);
    };
    if (in.take("id")) {
        made.base = Base::kIdentity;
    } else if (in_type) {
        in.fail_at(start, "an expression of id");
    } else if (in.take("ret")) {
        made.base = Base::kReturn;
    } else if (in.take("sym:")) {
        const char* const name = in.position();
        while (in.peek() == '_' || in.peek() == '@' || in.peek() == '.' || is_letter(in.peek()) ||
               is_digit(in.peek())) {
            const char one[2] = {in.peek(), 0};
            in.take(one);
        }
        made.base = Base::kSymbol;
        made.symbol = {name, static_cast<uint32_t>(in.position() - name)};
        if (made.symbol.empty()) in.fail("a symbol's name");
    } else if (in.number(made.number)) {
        made.base = Base::kNumber;
    } else if (in.take("a")) {
        indexed(Base::kArgument, 6);
    } else if (in.take("s")) {
        indexed(Base::kStackWord, 32);
    } else {
        in.fail("a0 to a5, ret, s0 to s31, id, sym:NAME, a number or [EXPRESSION]");
    }
}

Expression Parser::expression(Reader& in, bool in_type, unsigned depth) {
    Expression made;
    const char* const start = in.position();
    Width loaded = Width::kU64;
    const bool narrow = width(in, loaded);
    if (in.take("[")) {
        if (depth == Expression::kSteps) {
            in.fail_at(start, "a shorter expression");
            return made;
        }
        made = expression(in, in_type, depth + 1);
        if (!in.take("]")) in.fail("]");
        add_step(in, made, true, loaded, 0);
    } else if (narrow) {
        in.fail("[EXPRESSION] behind the width");
    } else {
        base(in, made, in_type);
    }
    while (!in.failed() && (in.peek() == '+' || in.peek() == '-')) {
        in.take("+");
        int64_t offset = 0;
        if (!in.number(offset)) in.fail("an offset in bytes");
        add_step(in, made, false, Width::kU64, offset);
    }
    return made;
}

void Parser::conditions(Reader& in, Condition* made, uint8_t& count, bool in_type) {
    static constexpr struct {
        const char* name;
        Comparison comparison;
    } kComparisons[] = {{"==", Comparison::kEqual},     {"!=", Comparison::kNotEqual},
                        {"<=", Comparison::kLessEqual}, {">=", Comparison::kMoreEqual},
                        {"<", Comparison::kLess},       {">", Comparison::kMore},
                        {"&", Comparison::kBits}};
    do {
        if (count == kConditions) return in.fail("at most two conditions");
        in.skip_blanks();
        Condition& condition = made[count];
        condition.left = expression(in, in_type);
        in.skip_blanks();
        bool found = false;
        for (const auto& one : kComparisons) {
            if (!found && in.take(one.name)) {
                condition.comparison = one.comparison;
                found = true;
            }
        }
        if (!found) return in.fail("==, !=, <, <=, >, >= or &");
        in.skip_blanks();
        if (!in.number(condition.right)) return in.fail("a number");
        count++;
    } while (in.take_word("and"));
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
