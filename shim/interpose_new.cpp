// operator new and delete in all their forms.
//
// Most definitions of them call malloc and free, which are seen anyway: then these functions only
// jump on to the next definition. Where the allocator that provides malloc defines them too
// (jemalloc, tcmalloc, mimalloc) they bypass malloc, and are recorded here.
//
// A program without the C++ library in its global scope may load one privately (a plug-in opened
// with RTLD_LOCAL); its calls bind to us, and no next definition is to be found. What libstdc++ and
// libc++ do there, malloc and free, is then done here.
#include <dlfcn.h>
#include <new>
#include <stdlib.h>

#include "interpose.h"
#include "real_functions.h"
#include "recorder.h"

namespace {

using lastref::CallSite;
using lastref::real;
namespace recorder = lastref::recorder;

enum class Provider : int { kUnknown = 0, kCallsMalloc, kAllocator, kNone };

const void* module_of(const void* function) {
    Dl_info info;
    return function && dladdr(function, &info) ? info.dli_fbase : nullptr;
}

// Who provides operator new; found out once.
Provider provider() {
    static Provider known = Provider::kUnknown;  // racing threads find the same
    if (known != Provider::kUnknown) return known;
    const void* next = lastref::find_next("_Znwm");
    if (!next) return Provider::kNone;  // may be loaded later: not kept
    lastref::find_real_functions();
    return known = module_of(next) == module_of(reinterpret_cast<const void*>(real.malloc))
                       ? Provider::kAllocator
                       : Provider::kCallsMalloc;
}

template <typename Function>
Function next_of(Function& kept, const char* name) {
    if (!kept) kept = reinterpret_cast<Function>(lastref::find_next(name));
    return kept;
}

// Nothing to hand the call to: malloc, and for a failure whatever C++ library is there throws.
void* new_by_malloc(size_t size, size_t alignment, bool may_throw, const CallSite& site) {
    if (size == 0) size = 1;
    void* block;
    if (alignment == 0) {
        block = real.malloc(size);
        if (recorder::wants_block(block, size)) {
            recorder::block_began(recorder::Op::kMalloc, block, size, site);
        }
    } else {
        size = (size + alignment - 1) & ~(alignment - 1);
        block = real.aligned_alloc ? real.aligned_alloc(alignment, size) : nullptr;
        if (recorder::wants_block(block, size)) {
            recorder::aligned_block_began(block, size, alignment, site);
        }
    }
    if (block || !may_throw) return block;
    static const char* const libraries[] = {"libstdc++.so.6", "libc++.so.1"};
    for (const char* library : libraries) {
        void* handle = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
        void* throwing = handle ? dlsym(handle, "_Znwm") : nullptr;
        if (throwing) return reinterpret_cast<void* (*)(size_t)>(throwing)(size);
    }
    abort();  // a call to operator new without any C++ library
}

}  // namespace

// One definition per form: NAME is the mangled name, PARAMETERS and ARGUMENTS its own.
#define LASTREF_NEW(NAME, PARAMETERS, ARGUMENTS, ALIGNMENT, MAY_THROW)                     \
    extern "C" LASTREF_INTERPOSE void* NAME PARAMETERS {                                   \
        static void*(*next)PARAMETERS;                                                     \
        switch (provider()) {                                                              \
            case Provider::kAllocator: {                                                   \
                if (!next_of(next, #NAME)) break;                                          \
                void* block = next ARGUMENTS;                                              \
                if (!recorder::wants_block(block, size)) return block;                     \
                if ((ALIGNMENT) != 0)                                                      \
                    recorder::aligned_block_began(block, size, ALIGNMENT, LASTREF_CALLER); \
                else                                                                       \
                    recorder::block_began(recorder::Op::kMalloc, block, size, LASTREF_CALLER); \
                return block;                                                              \
            }                                                                              \
            case Provider::kCallsMalloc:                                                   \
                if (next_of(next, #NAME)) return next ARGUMENTS;                           \
                break;                                                                     \
            default: break;                                                                \
        }                                                                                  \
        return new_by_malloc(size, ALIGNMENT, MAY_THROW, LASTREF_CALLER);                  \
    }

#define LASTREF_DELETE(NAME, PARAMETERS, ARGUMENTS)                         \
    extern "C" LASTREF_INTERPOSE void NAME PARAMETERS {                     \
        static void (*next) PARAMETERS;                                     \
        if (!block) return;                                                 \
        switch (provider()) {                                               \
            case Provider::kAllocator:                                      \
                if (recorder::wants_block_end(block)) {                     \
                    recorder::block_ends(block, LASTREF_CALLER);            \
                }                                                           \
                if (next_of(next, #NAME)) return next ARGUMENTS;            \
                return real.free(block);                                    \
            case Provider::kCallsMalloc:                                    \
                if (next_of(next, #NAME)) return next ARGUMENTS;            \
                break;                                                      \
            default: break;                                                 \
        }                                                                   \
        if (recorder::wants_block_end(block)) {                             \
            recorder::block_ends(block, LASTREF_CALLER);                    \
        }                                                                   \
        real.free(block);                                                   \
    }

using Nothrow = const std::nothrow_t*;

LASTREF_NEW(_Znwm, (size_t size), (size), 0, true)
LASTREF_NEW(_Znam, (size_t size), (size), 0, true)
LASTREF_NEW(_ZnwmRKSt9nothrow_t, (size_t size, Nothrow tag), (size, tag), 0, false)
LASTREF_NEW(_ZnamRKSt9nothrow_t, (size_t size, Nothrow tag), (size, tag), 0, false)
LASTREF_NEW(_ZnwmSt11align_val_t, (size_t size, size_t align), (size, align), align, true)
LASTREF_NEW(_ZnamSt11align_val_t, (size_t size, size_t align), (size, align), align, true)
LASTREF_NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, Nothrow tag),
            (size, align, tag), align, false)
LASTREF_NEW(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, Nothrow tag),
            (size, align, tag), align, false)

LASTREF_DELETE(_ZdlPv, (void* block), (block))
LASTREF_DELETE(_ZdaPv, (void* block), (block))
LASTREF_DELETE(_ZdlPvm, (void* block, size_t size), (block, size))
LASTREF_DELETE(_ZdaPvm, (void* block, size_t size), (block, size))
LASTREF_DELETE(_ZdlPvRKSt9nothrow_t, (void* block, Nothrow tag), (block, tag))
LASTREF_DELETE(_ZdaPvRKSt9nothrow_t, (void* block, Nothrow tag), (block, tag))
LASTREF_DELETE(_ZdlPvSt11align_val_t, (void* block, size_t align), (block, align))
LASTREF_DELETE(_ZdaPvSt11align_val_t, (void* block, size_t align), (block, align))
LASTREF_DELETE(_ZdlPvmSt11align_val_t, (void* block, size_t size, size_t align),
               (block, size, align))
LASTREF_DELETE(_ZdaPvmSt11align_val_t, (void* block, size_t size, size_t align),
               (block, size, align))
LASTREF_DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, (void* block, size_t align, Nothrow tag),
               (block, align, tag))
LASTREF_DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, (void* block, size_t align, Nothrow tag),
               (block, align, tag))
