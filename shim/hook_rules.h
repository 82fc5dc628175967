// Rules by which other people's libraries are traced: the grammar, and what it is parsed into.
//
// Both the shim and the command parse with this: it allocates nothing, calls nothing but libc's
// string functions, and keeps pointers into the text, which must outlive the rules.
//
// GRAMMAR. One rule a line; '#' begins a comment. Words are separated by blanks; a word in double
// quotes may hold blanks.
//
//   lib PATTERN[|PATTERN]...
//       What follows is for objects whose soname (or file name, where they have none) matches.
//       '*' and '?' are wildcards; <exe> is the main program.
//   obj NAME [rc=[-]u8|u16|u32|u64|i32|i64@OFFSET] [revives] [implicit] [if CONDITION]
//       The rules that follow are about buffers of this type. rc: where the true counter lies,
//       OFFSET bytes from the identity; '-': stored negated. revives: a count of zero is not the
//       end (pools); destroy is. implicit: not all creations are seen, so the first operation on an
//       unknown identity counts as one. if: a condition on `id` that selects the identities.
//   on FUNCTION in|out|inout OPERATION id=EXPRESSION [if CONDITION] [stack=WORDS] [nest] [optional]
//       in: at the entry. out: at the return; arguments are those of the entry, memory is read at
//       the return. inout: both (swap, move). stack: words of stack arguments that the function may
//       have (8 by default; for out and inout only). nest: while the function runs, the same
//       operation on the same identity is part of this one. optional: the function need not exist;
//       without it, a type whose function is missing is marked partial.
//       FUNCTION   a symbol, exported or not (also one that was stripped into a debug file), or
//                  SYMBOL@VERSION; a pattern in quotes that holds '(' or '*' matches
//                  demangled C++ names; +0xOFFSET/BUILDID: offset in the file's address space, and
//                  leading digits of the build-id; *EXPRESSION: a function pointer that is looked
//                  up at each create of the type, in that call's terms (and `id`)
//   slot SYMBOL[+OFFSET] OPERATION id=EXPRESSION [if CONDITION]
//       The function pointer held in data there is replaced by a hook that goes on to it.
//
//   OPERATION   create, create? (where no inner call has created it), retain, release, swap (inout:
//               the identity before is released and the one after created where they differ),
//               move (the reference has a new holder), destroy, destroy? (an identity that is not
//               tracked is not meant), touch
//   EXPRESSION  a0 to a5 (arguments), ret, s0 to s31 (words of the stack above the return
//               address), id, sym:NAME (an address), a number; EXPRESSION+OFFSET or -OFFSET;
//               [EXPRESSION] (the 8 bytes there), u8|u16|u32|i32[EXPRESSION]
//   CONDITION   EXPRESSION ==|!=|<|<=|>|>=|& NUMBER [and CONDITION]; signed comparisons
#ifndef LASTREF_SHIM_HOOK_RULES_H
#define LASTREF_SHIM_HOOK_RULES_H

#include <stddef.h>
#include <stdint.h>

namespace lastref::hooks {

// A part of the parsed text.
struct Word {
    const char* text = nullptr;
    uint32_t size = 0;

    bool operator==(const char* other) const;
    bool empty() const { return size == 0; }
};

enum class Base : uint8_t { kNone, kArgument, kReturn, kStackWord, kIdentity, kSymbol, kNumber };
enum class Width : uint8_t { kU8, kU16, kU32, kU64, kI32, kI64 };

// One step of an expression: first adds `offset`, then, where `load` is set, reads memory there.
struct Step {
    int32_t offset;
    Width width;
    bool load;
};

struct Expression {
    static constexpr unsigned kSteps = 6;
    Base base = Base::kNone;
    uint8_t index = 0;  // of the argument or stack word
    uint8_t steps = 0;
    bool uses_return() const { return base == Base::kReturn; }
    int64_t number = 0;  // kNumber; kSymbol: its address, once known
    Word symbol;
    Step step[kSteps] = {};
};

enum class Comparison : uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kMore, kMoreEqual, kBits };

struct Condition {
    Expression left;
    Comparison comparison = Comparison::kEqual;
    int64_t right = 0;
};

inline constexpr unsigned kConditions = 2;  // joined by `and`

enum class When : uint8_t { kIn, kOut, kBoth };

enum class Operation : uint8_t {
    kCreate,
    kCreateIfNew,
    kRetain,
    kRelease,
    kSwap,
    kMove,
    kDestroy,
    kDestroyIfTracked,
    kTouch,
};
const char* operation_name(Operation operation);

struct Library {
    Word patterns;  // joined by '|'
};

struct Counter {
    bool known = false, negated = false;
    Width width = Width::kU32;
    int32_t offset = 0;
};

struct Type {
    Word name;
    uint32_t library = 0;
    Counter counter;
    bool revives = false, implicit = false;
    uint8_t conditions = 0;
    Condition condition[kConditions];
};

enum class Target : uint8_t { kSymbol, kDemangled, kOffset, kPointer, kSlot };

struct Rule {
    uint32_t file = 0, line = 0, column = 0;  // where its function is named
    uint32_t library = 0, type = 0;
    Target target = Target::kSymbol;
    Word function;        // kSymbol, kDemangled, kSlot: the symbol
    uint64_t offset = 0;  // kOffset: in the file's address space; kSlot: from the symbol
    Word build_id;        // kOffset: leading hexadecimal digits
    Expression pointer;   // kPointer
    When when = When::kIn;
    Operation operation = Operation::kTouch;
    Expression identity;
    uint8_t conditions = 0;
    Condition condition[kConditions];
    uint8_t stack_words = 8;
    bool nest = false, optional = false;
};

inline constexpr unsigned kMaxStackWords = 64;
inline constexpr unsigned kMaxRuleFiles = 32;

struct RuleError {
    const char* file;
    uint32_t line, column;  // from 1
    const char* expected;   // "an operation (create, ...)"
    Word found;             // empty: the line ended
};

// All rules of a process. Large: not for a stack.
struct RuleSet {
    static constexpr unsigned kLibraries = 128, kTypes = 256, kRules = 4096;
    const char* files[kMaxRuleFiles];
    uint32_t file_count, library_count, type_count, rule_count;
    Library libraries[kLibraries];
    Type types[kTypes];
    Rule rules[kRules];
};

// Adds the rules of `text` to `rules`. Each wrong line is left out and passed to `report` (with
// `context`). `file` names the text in errors and must outlive the rules too. Returns the number of
// errors.
using ReportError = void (*)(void* context, const RuleError& error);
uint32_t parse_rules(RuleSet& rules, const char* file, const char* text, size_t size,
                     ReportError report, void* context);

// '*' and '?' in `pattern`; `text` as it is.
bool matches(const Word& pattern, const char* text);
// One of several patterns joined by '|'.
bool matches_any(const Word& patterns, const char* text);

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOK_RULES_H
