#include "config.h"

#include <string.h>

#include "raw_syscall.h"
#include "text.h"

namespace lastref {
namespace {

const char* find(char** environment, const char* name) {
    const size_t length = strlen(name);
    for (char** entry = environment; entry && *entry; entry++) {
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') {
            return *entry + length + 1;
        }
    }
    return nullptr;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_word(const char* text, const char* word) {
    while (*text && lower(*text) == *word) text++, word++;
    return *text == 0 && *word == 0;
}

// A decimal number with an optional suffix k, m, g, t (powers of 1024; 'b', 'ib' may follow).
bool parse_size(const char* text, uint64_t& value) {
    uint64_t number = 0;
    const char* p = text;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (number > (UINT64_MAX - 9) / 10) return false;
        number = number * 10 + static_cast<uint64_t>(*p - '0');
    }
    if (p == text) return false;
    unsigned shift = 0;
    switch (lower(*p)) {
        case 'k':
            shift = 10;
            break;
        case 'm':
            shift = 20;
            break;
        case 'g':
            shift = 30;
            break;
        case 't':
            shift = 40;
            break;
        default:
            break;
    }
    if (shift != 0) {
        p++;
        if (lower(*p) == 'i') p++;
    }
    if (lower(*p) == 'b') p++;
    if (*p != 0 || (shift != 0 && number >> (64 - shift) != 0)) return false;
    value = number << shift;
    return true;
}

bool parse_switch(const char* text, bool& value) {
    if (strcmp(text, "0") == 0) return value = false, true;
    if (strcmp(text, "1") == 0) return value = true, true;
    return false;
}

bool parse_level(const char* text, trace::Level& level) {
    const char* const names[] = {"disabled", "simple", "advanced", "paranoid"};
    for (unsigned i = 0; i < 4; i++) {
        if (same_word(text, names[i]) || (text[0] == static_cast<char>('0' + i) && text[1] == 0)) {
            level = static_cast<trace::Level>(i);
            return true;
        }
    }
    return false;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

bool parse_run_id(const char* text, uint8_t (&id)[16]) {
    if (strlen(text) != 32) return false;
    uint8_t parsed[16];
    for (unsigned i = 0; i < 16; i++) {
        const int high = hex_digit(text[2 * i]);
        const int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        parsed[i] = static_cast<uint8_t>(high * 16 + low);
    }
    memcpy(id, parsed, sizeof(id));
    return true;
}

// Makes the pattern absolute, so that chdir() does not move later files.
bool set_out(const char* pattern, Config& config) {
    Text out(config.out, sizeof(config.out));
    if (pattern[0] != '/') {
        static char directory[sizeof(config.out)];  // too much for a small stack
        const long length =
            raw::call(SYS_getcwd, reinterpret_cast<long>(directory), sizeof(directory));
        if (raw::failed(length) || directory[0] != '/') return false;
        for (const char* p = directory; *p; p++) {
            if (*p == '%') out.add('%');
            out.add(*p);
        }
        if (directory[1] != 0) out.add('/');
    }
    out.add(pattern);
    if (!out.cut()) return true;
    config.out[0] = 0;
    return false;
}

class Complaint {
public:
    Complaint(char* buffer, unsigned size) : text_(buffer, size) {}
    void bad(const char* name, const char* value, const char* wanted) {
        text_.add(text_.size() == 0 ? "ignored " : ", ");
        text_.add(name).add('=').add(value, strnlen(value, 80)).add(" (").add(wanted).add(')');
    }

private:
    Text text_;
};

}  // namespace

void read_config(char** environment, Config& config, char* complaint, unsigned complaint_size) {
    config = Config{};
    Complaint complaints(complaint, complaint_size);
    auto read = [&](const char* name, const char* wanted, auto parse) {
        const char* value = find(environment, name);
        if (value && *value && !parse(value)) complaints.bad(name, value, wanted);
    };
    read("LASTREF_LEVEL", "disabled, simple, advanced, paranoid or 0 to 3",
         [&](const char* v) { return parse_level(v, config.level); });
    read("LASTREF_MAX_SIZE", "a size of at least 1M, as 512M or 64G", [&](const char* v) {
        uint64_t size = 0;
        return parse_size(v, size) && size >= (1u << 20) && (config.max_size = size, true);
    });
    read("LASTREF_RING", "a size of at least 256K, as 64M", [&](const char* v) {
        uint64_t size = 0;
        return parse_size(v, size) && size >= (256u << 10) && (config.ring = size, true);
    });
    read("LASTREF_DEPTH", "1 to 1024 frames", [&](const char* v) {
        uint64_t depth = 0;
        return parse_size(v, depth) && depth >= 1 && depth <= kMaxDepth &&
               (config.depth = static_cast<uint32_t>(depth), true);
    });
    read("LASTREF_SAMPLE_INTERVAL", "a number from 1 to 1000000000", [&](const char* v) {
        uint64_t interval = 0;
        return parse_size(v, interval) && interval >= 1 && interval <= 1000000000 &&
               (config.sample_interval = static_cast<uint32_t>(interval), true);
    });
    read("LASTREF_SAMPLE_BYTES", "a size from 1 to 1T, as 512K", [&](const char* v) {
        uint64_t bytes = 0;
        return parse_size(v, bytes) && bytes >= 1 && bytes <= (1ull << 40) &&
               (config.sample_bytes = bytes, true);
    });
    const char* const wanted = "0 or 1";
    read("LASTREF_FREE_STACKS", wanted,
         [&](const char* v) { return parse_switch(v, config.free_stacks); });
    read("LASTREF_FOLLOW_FORK", wanted,
         [&](const char* v) { return parse_switch(v, config.follow_fork); });
    read("LASTREF_VERBOSE", wanted, [&](const char* v) { return parse_switch(v, config.verbose); });
    read("LASTREF_CONFINED", wanted,
         [&](const char* v) { return parse_switch(v, config.confined); });
    read("LASTREF_SECCOMP_FILTERS", "a number", [&](const char* v) {
        uint64_t number = 0;
        return parse_size(v, number) && number < Config::kUnknown &&
               (config.filters_around = static_cast<uint32_t>(number), true);
    });
    read("LASTREF_HOOKS", "a shorter list", [&](const char* v) {
        Text hooks(config.hooks, sizeof(config.hooks));
        hooks.add(v);
        return !hooks.cut() || (config.hooks[0] = 0, false);
    });
    read("LASTREF_RUN_ID", "32 hexadecimal digits",
         [&](const char* v) { return parse_run_id(v, config.run_id); });
    read("LASTREF_OUT", "a path of at most 4095 bytes",
         [&](const char* v) { return set_out(v, config); });
    if (config.out[0] == 0 && !set_out("lastref.%e.%p.trace", config)) config.out[0] = 0;
}

bool expand_path(const Config& config, const char* program, int pid, NameTry attempt, char* path,
                 unsigned size) {
    Text text(path, size);
    bool numbered = false;
    for (const char* p = config.out; *p; p++) {
        if (*p != '%') {
            text.add(*p);
            continue;
        }
        switch (p[1]) {
            case 'p':
                text.add_number(static_cast<uint64_t>(pid));
                break;
            case 'e':
                for (const char* c = program; *c; c++) text.add(*c == '/' ? '_' : *c);
                break;
            case 'n':
                text.add_number(attempt.number);
                numbered = true;
                break;
            case '%':
                text.add('%');
                break;
            default:
                text.add('%');
                continue;  // an unknown letter stands for itself
        }
        p++;
    }
    if (attempt.is_another && !numbered) {
        text.add('.').add_number(static_cast<uint64_t>(pid));
        if (attempt.number >= 2) text.add('.').add_number(attempt.number);
    }
    return !text.cut();
}

}  // namespace lastref
