#include "hook_expressions.h"

namespace lastref::hooks {
namespace {

void add_step(Reader& in, Expression& made, bool load, Width width, int64_t offset) {
    if (made.steps == Expression::kSteps) return in.fail("a shorter expression");
    if (offset > kMostOffset || offset < -kMostOffset) return in.fail("a smaller offset");
    made.step[made.steps++] = {static_cast<int32_t>(offset), width, load};
}

void base(Reader& in, Expression& made, bool in_type) {
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

}  // namespace

bool read_width(Reader& in, Width& made) {
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

Expression read_expression(Reader& in, bool in_type, unsigned depth) {
    Expression made;
    const char* const start = in.position();
    Width loaded = Width::kU64;
    const bool narrow = read_width(in, loaded);
    if (in.take("[")) {
        if (depth == Expression::kSteps) {
            in.fail_at(start, "a shorter expression");
            return made;
        }
        made = read_expression(in, in_type, depth + 1);
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

void read_conditions(Reader& in, Condition* made, uint8_t& count, bool in_type) {
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
        condition.left = read_expression(in, in_type);
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

}  // namespace lastref::hooks
