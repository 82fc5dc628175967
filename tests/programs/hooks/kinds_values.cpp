// Calls in which rules can say all that their words allow: arguments in registers and on the stack,
// chains of pointers, narrow words, a symbol's address, counters of every width, a reference that
// is swapped or moved, functions that are known by pointers alone.
#include <cstdint>
#include <cstdlib>
#include <new>

#define KEPT __attribute__((noinline, noclone))
#define EXPORTED extern "C" __attribute__((visibility("default"))) KEPT

namespace {

// The true counter in every width, by count(); and something that is none.
struct Value {
    int64_t negated64 = -1;         // offset 0
    int64_t signed64 = 1;           // 8
    uint64_t wide = 1;              // 16
    int32_t negated32 = -1;         // 24
    int32_t signed32 = 1;           // 28
    uint32_t word = 1;              // 32
    uint16_t half = 1;              // 36
    uint8_t byte = 1;               // 38
    uint8_t layout = 2;             // 39
    void (*end)(Value*) = nullptr;  // 40
    Value* self = this;             // 48
};
static_assert(sizeof(Value) == 56);

void count(Value& value, uint8_t to) {
    value.negated64 = -to;
    value.negated32 = -to;
    value.signed64 = value.signed32 = value.byte = to;
    value.wide = value.word = value.half = to;
}

struct Holder {
    uint64_t number = 0xfedcba9876543210;  // offset 0
    Value* value;                          // 8
    const Holder* next;                    // 16
    char* behind;                          // 24: 64 bytes behind where the value begins
};

KEPT void end_value(Value* value) {
    std::free(value);
}
Value* make() {
    auto* const value = new (std::malloc(sizeof(Value))) Value();
    value->end = end_value;
    return value;
}

}  // namespace

extern "C" {
__attribute__((visibility("default"))) Value* kinds_value_at_work;
}

EXPORTED Value* kinds_value_new() {
    return make();
}
EXPORTED Value* kinds_value_copy() {
    return kinds_value_new();
}
// Gets the function that ends the value.
EXPORTED void kinds_value_init(Value* value, void (*end)(Value*)) {
    value->end = end;
}
EXPORTED void kinds_value_ref(Value* value) {
    count(*value, value->byte + 1);
}
EXPORTED void kinds_value_unref(Value* value) {
    count(*value, value->byte - 1);
}
EXPORTED void kinds_value_drop(Value* value) {
    kinds_value_unref(value);
}
// Lets the old value go and frees it, and makes a new one, by code of its own.
EXPORTED void kinds_value_replace(Value** slot) {
    Value* const made = make();
    count(**slot, 0);
    std::free(*slot);
    *slot = made;
}
EXPORTED Value* kinds_value_steal(Value** slot) {
    Value* const stolen = *slot;
    *slot = nullptr;
    return stolen;
}
// Its second instruction is jumped to, and lies where a hook would be written.
__asm__(
    ".text\n.globl kinds_value_loop\n.type kinds_value_loop, @function\nkinds_value_loop:\n"
    "xorl %eax, %eax\n1: incl %eax\ncmpl $3, %eax\njl 1b\nret\n"
    ".size kinds_value_loop, . - kinds_value_loop\n");

// The last two are passed on the stack.
EXPORTED Value* kinds_value_pass(Value* value, Value** slot, const Holder* holder, uintptr_t before,
                                 uint64_t large, int64_t negative, Value* on_stack, int64_t call) {
    const bool all = *slot == value && holder->value == value && before + 16 == uintptr_t(value) &&
                     large == ~0ull && negative == -5 && on_stack == value && call < 4;
    return all ? value : nullptr;
}

namespace {

KEPT void pass(Value* value) {
    char* const behind = reinterpret_cast<char*>(value) + 64;
    const Holder inner = {.value = value, .next = nullptr, .behind = behind};
    const Holder holder = {.value = value, .next = &inner, .behind = nullptr};
    for (int64_t call = 0; call < 4; ++call) {
        if (kinds_value_pass(value, &value, &holder, uintptr_t(value) - 16, ~0ull, -5, value,
                             call) != value) {
            std::abort();
        }
    }
}

Value* kept_value;

// Takes the reference over and forgets it.
KEPT void keep(Value** slot) {
    kept_value = kinds_value_steal(slot);
}

}  // namespace

// Each value is made, held once more, passed four times, and let go once; the first `kept` are
// kept by keep(), the others let go by their last holder too. Then one is replaced by another,
// which is taken over and dropped.
EXPORTED void kinds_values(int times, int kept) {
    for (int i = 0; i < times; ++i) {
        Value* value = i % 2 == 0 ? kinds_value_new() : kinds_value_copy();
        kinds_value_init(value, end_value);
        kinds_value_ref(value);
        kinds_value_at_work = value;
        pass(value);
        kinds_value_unref(value);
        if (i < kept) {
            keep(&value);
            continue;
        }
        kinds_value_unref(value);
        value->end(value);
    }
    for (int i = 0; i < times; ++i) {
        Value* slot = kinds_value_new();
        kinds_value_init(slot, end_value);
        kinds_value_replace(&slot);
        Value* const value = kinds_value_steal(&slot);
        kinds_value_drop(value);
        value->end(value);
    }
}
