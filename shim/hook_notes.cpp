#include "hook_notes.h"

#include <string.h>

#include "record_writer.h"
#include "session.h"
#include "slow_lock.h"
#include "text.h"
#include "thread_log.h"

namespace lastref::hooks {
namespace {

constexpr uint32_t kMostText = 400;

uint32_t length_of(const char* text) {
    return static_cast<uint32_t>(strnlen(text, kMostText));
}

uint32_t flags_of(const HookedType& type) {
    uint32_t flags = 0;
    if (type.counter.known) flags |= trace::kCountKnown;
    if (type.rules->revives) flags |= trace::kRevives;
    if (type.rules->implicit) flags |= trace::kImplicit;
    return flags;
}

}  // namespace

void note(trace::HookFact fact, const char* subject, int64_t value, const char* more) {
    if (!recording || !process.session) return;
    Session& session = *process.session;
    if (session.state.load(std::memory_order_acquire) != SessionState::kRecording) return;
    SlowLockHolder lock(session.lock, may_call_kernel());
    if (!lock.owned()) return;
    Fields fields;
    fields.value = value;
    fields.detail = static_cast<uint32_t>(fact);
    fields.text = subject;
    fields.text_size = length_of(subject);
    fields.text2 = more;
    fields.text2_size = length_of(more);
    Log* meta = make_meta_room(fields.text_size + fields.text2_size);
    if (!meta) return;
    write_record<trace::Op::kHook>(*meta, ticks_after(session.clock), fields, 0);
}

void note_type(HookedType& type) {
    if (type.used) return;
    type.used = true;
    note(trace::HookFact::kType, type.name.text, flags_of(type), "");
}

void note_refused(HookedType& type, const char* function, const char* reason) {
    note(trace::HookFact::kRefused, function, 0, reason);
    if (process.config.verbose) {
        char line[600];
        Text text(line, sizeof(line));
        text.add("hooks: ").add(function, length_of(function)).add(" is not hooked: ").add(reason);
        say_more(line);
    }
    if (type.partial.exchange(true)) return;
    char more[kMostText];
    Text text(more, sizeof(more));
    text.add(function, length_of(function)).add(": ").add(reason);
    note(trace::HookFact::kPartial, type.name.text, 0, more);
}

void note_library(const char* soname, uint32_t functions) {
    note(trace::HookFact::kHooked, soname, functions, "");
    if (!process.config.verbose) return;
    char line[600];
    Text text(line, sizeof(line));
    text.add("hooks: ").add_number(functions).add(" functions of ").add(soname, length_of(soname));
    say_more(line);
}

void note_off(const char* reason) {
    table.active.store(false);
    for (uint32_t i = 0; table.rules && i < table.rules->type_count; i++) {
        HookedType& type = table.types[i];
        if (type.used && !type.partial.exchange(true)) {
            note(trace::HookFact::kPartial, type.name.text, 0, reason);
        }
    }
    note(trace::HookFact::kOff, "hooks", 0, reason);
    char line[600];
    Text text(line, sizeof(line));
    text.add("hooks are off: ").add(reason).add("; heap and mappings are traced all the same");
    say_more(line);
}

void note_everything_again() {
    for (uint32_t i = 0; table.rules && i < table.rules->type_count; i++) {
        HookedType& type = table.types[i];
        if (!type.used) continue;
        note(trace::HookFact::kType, type.name.text, flags_of(type), "");
        if (type.counter_followed.load())
            note(trace::HookFact::kCounterFollowed, type.name.text, 0, "");
        if (type.counter.known && !type.counter_trusted.load())
            note(trace::HookFact::kNoCounter, type.name.text, 0, "see the parent's trace");
        if (type.partial.load()) {
            note(trace::HookFact::kPartial, type.name.text, 0, "see the parent's trace");
        }
    }
}

void say_rule_error(const RuleError& error) {
    constexpr uint32_t kErrorsSaid = 10, kMostFound = 80;
    static std::atomic<uint32_t> said{0};
    if (said.fetch_add(1) >= kErrorsSaid) return;
    char line[1400];
    Text text(line, sizeof(line));
    text.add(error.file).add(':').add_number(error.line).add(':').add_number(error.column);
    text.add(": expected ").add(error.expected).add(", found ");
    if (error.found.empty()) {
        text.add("the end of the line");
    } else {
        const uint32_t size = error.found.size < kMostFound ? error.found.size : kMostFound;
        text.add('\'').add(error.found.text, size).add('\'');
    }
    say_more(line);
}

}  // namespace lastref::hooks
