#include "analyze/runtime_blocks.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace lastref {
namespace {

std::string_view base_name(std::string_view path) {
    const size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

template <size_t n>
bool starts_with_any(std::string_view text, const std::array<std::string_view, n>& prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [text](std::string_view prefix) { return text.starts_with(prefix); });
}

// Base names of files. "ld-" also covers musl's and other architectures' loaders.
constexpr std::array<std::string_view, 4> kLoaders = {"ld-linux", "ld-2.", "ld.so", "ld64.so"};
constexpr std::array<std::string_view, 3> kLibc = {"libc.so", "libc-2.", "libpthread"};
constexpr std::array<std::string_view, 8> kRuntimes = {
    "libc.so", "libc-2.", "libpthread", "libstdc++.so", "libc++", "libgcc_s", "libm.so", "libdl.so",
};
constexpr std::array<std::string_view, 6> kAllocators = {
    "libjemalloc", "libtcmalloc", "libmimalloc", "libsnmalloc", "libtbbmalloc", "librpmalloc",
};

// Functions of the C library that keep what they allocate until exit, without leading
// underscores: debug information knows __textdomain, the symbol table textdomain.
constexpr std::array<std::string_view, 24> kKeepers = {
    "IO_file_doallocate",  // buffers of stdin, stdout, stderr and other open streams
    "IO_wfile_doallocate",
    "IO_doallocbuf",
    "new_exitfn",  // atexit's list
    "cxa_thread_atexit_impl",
    "cxa_atexit",
    "setlocale",  // the current locale
    "newlocale",
    "nl_",
    "gconv_",          // character set conversions
    "tz",              // the time zone
    "bindtextdomain",  // message catalogues
    "set_binding_values",
    "textdomain",
    "dcigettext",
    "dlerror",         // the loader's last message
    "dl_",             // the loader's part inside libc
    "nss_",            // name service modules
    "pthread_create",  // stacks and thread-local storage are cached for reuse
    "libc_setup",
    "res_",            // the resolver's state of a thread
    "add_to_environ",  // environ, and the values that it points to
    "setenv",
    "putenv",
};

std::string_view without_underscores(std::string_view name) {
    return name.substr(std::min(name.find_first_not_of('_'), name.size()));
}

// Function names of allocators linked into a program.
constexpr std::array<std::string_view, 14> kAllocatorFunctions = {
    "je_",          "_rjem_",     "os_pages_map", "pages_map", "base_map",  "_mi_",
    "mi_",          "tcmalloc::", "TCMalloc",     "tc_",       "sysmalloc", "new_heap",
    "x_cgo_mmap",    // Go's heap, where the program uses cgo
    "runtime.mmap",  // and where it does not
};

}  // namespace

bool is_runtime_block(uint32_t stack, StackNames& names) {
    if (stack == 0) return false;
    bool innermost = true, runtime_only = true, inside_libc = true, keeper = false;
    names.visit(stack, [&](const Frame& frame) {
        const std::string_view module = base_name(frame.module);
        const bool loader = starts_with_any(module, kLoaders);
        if (innermost && loader) {
            keeper = true;
            return false;
        }
        innermost = false;
        if (inside_libc) {
            inside_libc = starts_with_any(module, kLibc);
            if (inside_libc && starts_with_any(without_underscores(frame.function), kKeepers)) {
                keeper = true;
                return false;
            }
        }
        // A runtime library's constructor or destructor, run by the loader: at the start, or within
        // the program's dlopen.
        if (loader && runtime_only) {
            keeper = true;
            return false;
        }
        if (!starts_with_any(module, kRuntimes)) runtime_only = false;
        return inside_libc || runtime_only;
    });
    if (keeper) return true;
    // A runtime library's own start: no frame of the program, down to the loader's first.
    return !innermost && runtime_only && names.reaches_outermost(stack);
}

bool is_allocator(std::string_view path) {
    return starts_with_any(base_name(path), kAllocators);
}

bool is_made_by_libc(uint32_t stack, StackNames& names) {
    bool libc = false;
    names.visit(stack, [&](const Frame& frame) {
        libc = starts_with_any(base_name(frame.module), kLibc);
        return false;  // the innermost frame decides
    });
    return libc;
}

bool is_allocator_mapping(uint32_t stack, StackNames& names) {
    if (stack == 0) return false;
    bool allocator = false;
    names.visit(stack, [&](const Frame& frame) {
        const std::string_view module = base_name(frame.module);
        allocator = is_allocator(frame.module) || starts_with_any(module, kLibc) ||
                    starts_with_any(module, kLoaders) ||
                    starts_with_any(frame.function, kAllocatorFunctions);
        return false;  // the innermost frame decides
    });
    return allocator;
}

}  // namespace lastref
