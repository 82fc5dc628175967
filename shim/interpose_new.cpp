// operator new and delete in all their forms.
//
// Most definitions of them call malloc and free, which are seen anyway: then these functions only
// jump on to the next definition. Where the allocator that provides malloc defines a form too
// (jemalloc, tcmalloc, mimalloc) it bypasses malloc, and is recorded here; should it call malloc or
// free by name after all, the block is recorded once (t_last_block, t_deleted_block).
//
// A program without the C++ library in its global scope may load one privately (a plug-in opened
// with RTLD_LOCAL); its calls bind to us, and no next definition is to be found. What libstdc++ and
// libc++ do there, malloc and free, is then done here.
#include <dlfcn.h>
#include <stdlib.h>
#include <new>

#include "interpose.h"
#include "real_functions.h"
#include "recorder.h"

namespace {

using lastref::CallSite;
using lastref::OperatorForm;
using lastref::real;
namespace recorder = lastref::recorder;

// Nothing to hand the call to: malloc, and for a failure whatever C++ library is there throws.
void* new_by_malloc(size_t size, size_t alignment, bool may_throw, const CallSite& site) {
    if (size == 0) size = 1;
    void* block;
    if (alignment == 0) {
        block = real.malloc(size);
        if (recorder::wants_block(block, size)) {
            recorder::block_began(block, size, site);
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

// The block that the allocator's own operator new returned.
void record_new(const void* block, size_t size, size_t alignment, const CallSite& site) {
    if (!block || block == lastref::t_last_block || !recorder::wants_block(block, size)) return;
    if (alignment != 0)
        recorder::aligned_block_began(block, size, alignment, site);
    else
        recorder::block_began(block, size, site);
}

// Before the allocator's own operator delete, or free, ends the block.
void record_delete(const void* block, const CallSite& site) {
    if (recorder::wants_block_end(block)) recorder::block_ends(block, site);
}

const OperatorForm& form(unsigned index) {
    if (!lastref::operator_forms[0].next) [[unlikely]]
        lastref::find_real_functions();
    return lastref::operator_forms[index];
}

}  // namespace

// One definition per form: INDEX into operator_forms, PARAMETERS and ARGUMENTS its own.
#define LASTREF_NEW(INDEX, NAME, PARAMETERS, ARGUMENTS, ALIGNMENT, MAY_THROW)        \
    extern "C" LASTREF_INTERPOSE void* NAME PARAMETERS {                             \
        const OperatorForm& form_ = form(INDEX);                                     \
        const auto next = reinterpret_cast<void*(*)PARAMETERS>(form_.next);          \
        if (!next) return new_by_malloc(size, ALIGNMENT, MAY_THROW, LASTREF_CALLER); \
        if (!form_.by_allocator) return next ARGUMENTS;                              \
        lastref::t_last_block = nullptr;                                             \
        void* block = next ARGUMENTS;                                                \
        record_new(block, size, ALIGNMENT, LASTREF_CALLER);                          \
        return block;                                                                \
    }

#define LASTREF_DELETE(INDEX, NAME, PARAMETERS, ARGUMENTS)                  \
    extern "C" LASTREF_INTERPOSE void NAME PARAMETERS {                     \
        if (!block) return;                                                 \
        const OperatorForm& form_ = form(INDEX);                            \
        const auto next = reinterpret_cast<void(*) PARAMETERS>(form_.next); \
        if (next && !form_.by_allocator) return next ARGUMENTS;             \
        record_delete(block, LASTREF_CALLER);                               \
        if (!next) return real.free(block);                                 \
        lastref::t_deleted_block = block;                                   \
        next ARGUMENTS;                                                     \
        lastref::t_deleted_block = nullptr;                                 \
    }

using Nothrow = const std::nothrow_t*;

LASTREF_NEW(0, _Znwm, (size_t size), (size), 0, true)
LASTREF_NEW(1, _Znam, (size_t size), (size), 0, true)
LASTREF_NEW(2, _ZnwmRKSt9nothrow_t, (size_t size, Nothrow tag), (size, tag), 0, false)
LASTREF_NEW(3, _ZnamRKSt9nothrow_t, (size_t size, Nothrow tag), (size, tag), 0, false)
LASTREF_NEW(4, _ZnwmSt11align_val_t, (size_t size, size_t align), (size, align), align, true)
LASTREF_NEW(5, _ZnamSt11align_val_t, (size_t size, size_t align), (size, align), align, true)
LASTREF_NEW(6, _ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, Nothrow tag),
            (size, align, tag), align, false)
LASTREF_NEW(7, _ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, Nothrow tag),
            (size, align, tag), align, false)

LASTREF_DELETE(8, _ZdlPv, (void* block), (block))
LASTREF_DELETE(9, _ZdaPv, (void* block), (block))
LASTREF_DELETE(10, _ZdlPvm, (void* block, size_t size), (block, size))
LASTREF_DELETE(11, _ZdaPvm, (void* block, size_t size), (block, size))
LASTREF_DELETE(12, _ZdlPvRKSt9nothrow_t, (void* block, Nothrow tag), (block, tag))
LASTREF_DELETE(13, _ZdaPvRKSt9nothrow_t, (void* block, Nothrow tag), (block, tag))
LASTREF_DELETE(14, _ZdlPvSt11align_val_t, (void* block, size_t align), (block, align))
LASTREF_DELETE(15, _ZdaPvSt11align_val_t, (void* block, size_t align), (block, align))
LASTREF_DELETE(16, _ZdlPvmSt11align_val_t, (void* block, size_t size, size_t align),
               (block, size, align))
LASTREF_DELETE(17, _ZdaPvmSt11align_val_t, (void* block, size_t size, size_t align),
               (block, size, align))
LASTREF_DELETE(18, _ZdlPvSt11align_val_tRKSt9nothrow_t, (void* block, size_t align, Nothrow tag),
               (block, align, tag))
LASTREF_DELETE(19, _ZdaPvSt11align_val_tRKSt9nothrow_t, (void* block, size_t align, Nothrow tag),
               (block, align, tag))
