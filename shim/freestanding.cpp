// The string and memory functions that the shim and its compiler call, bound to the shim itself.
//
// A program, a sanitizer's runtime or another preloaded library may define any of libc's: a call
// through the PLT would run their code inside a constructor that comes before they are set up, or
// in the middle of a record. The version script keeps these local. Only what the shim uses is
// here; texts are short, so simple loops do. Compiled for general registers only, like the entry
// of hooked calls, which uses them too.
#include <stddef.h>
#include <stdint.h>

#define LASTREF_LOCAL extern "C" __attribute__((visibility("hidden"), used))

// Keeps the compiler from making a loop into a call of the function that it stands in.
#define LASTREF_LOOP asm volatile("")

LASTREF_LOCAL void* memcpy(void* to, const void* from, size_t size) {
    void* end = to;
    asm volatile("rep movsb" : "+D"(end), "+S"(from), "+c"(size) : : "memory");
    return to;
}

LASTREF_LOCAL void* memmove(void* to, const void* from, size_t size) {
    auto* target = static_cast<uint8_t*>(to);
    const auto* source = static_cast<const uint8_t*>(from);
    if (reinterpret_cast<uintptr_t>(to) - reinterpret_cast<uintptr_t>(from) >= size) {
        return memcpy(to, from, size);
    }
    while (size-- != 0) {
        LASTREF_LOOP;
        target[size] = source[size];
    }
    return to;
}

LASTREF_LOCAL void* memset(void* to, int value, size_t size) {
    void* end = to;
    asm volatile("rep stosb" : "+D"(end), "+c"(size) : "a"(value) : "memory");
    return to;
}

LASTREF_LOCAL int memcmp(const void* left, const void* right, size_t size) {
    const auto* a = static_cast<const uint8_t*>(left);
    const auto* b = static_cast<const uint8_t*>(right);
    for (size_t i = 0; i < size; i++) {
        LASTREF_LOOP;
        if (a[i] != b[i]) return a[i] - b[i];
    }
    return 0;
}

LASTREF_LOCAL void* memchr(const void* bytes, int value, size_t size) {
    const auto* p = static_cast<const uint8_t*>(bytes);
    for (size_t i = 0; i < size; i++) {
        LASTREF_LOOP;
        if (p[i] == static_cast<uint8_t>(value)) return const_cast<uint8_t*>(p + i);
    }
    return nullptr;
}

LASTREF_LOCAL size_t strnlen(const char* text, size_t most) {
    size_t length = 0;
    while (length < most && text[length] != 0) {
        LASTREF_LOOP;
        length++;
    }
    return length;
}

LASTREF_LOCAL size_t strlen(const char* text) {
    return strnlen(text, SIZE_MAX);
}

LASTREF_LOCAL int strncmp(const char* left, const char* right, size_t most) {
    for (size_t i = 0; i < most; i++) {
        LASTREF_LOOP;
        const auto a = static_cast<uint8_t>(left[i]), b = static_cast<uint8_t>(right[i]);
        if (a != b) return a - b;
        if (a == 0) return 0;
    }
    return 0;
}

LASTREF_LOCAL int strcmp(const char* left, const char* right) {
    return strncmp(left, right, SIZE_MAX);
}

LASTREF_LOCAL char* strchr(const char* text, int wanted) {
    for (;; text++) {
        LASTREF_LOOP;
        if (*text == static_cast<char>(wanted)) return const_cast<char*>(text);
        if (*text == 0) return nullptr;
    }
}

LASTREF_LOCAL char* strrchr(const char* text, int wanted) {
    const char* last = nullptr;
    for (;; text++) {
        LASTREF_LOOP;
        if (*text == static_cast<char>(wanted)) last = text;
        if (*text == 0) return const_cast<char*>(last);
    }
}

LASTREF_LOCAL size_t strcspn(const char* text, const char* stops) {
    size_t length = 0;
    while (text[length] != 0 && !strchr(stops, text[length])) {
        LASTREF_LOOP;
        length++;
    }
    return length;
}

LASTREF_LOCAL char* strstr(const char* text, const char* wanted) {
    const size_t length = strlen(wanted);
    for (;; text++) {
        LASTREF_LOOP;
        if (strncmp(text, wanted, length) == 0) return const_cast<char*>(text);
        if (*text == 0) return nullptr;
    }
}
