// operator new and delete in all their forms.
//
// Most definitions of them call malloc and free, which are seen anyway: then these functions only
// jump on to the next definition. Where the allocator that provides malloc defines a form too
// (jemalloc, tcmalloc, mimalloc) it bypasses malloc, and is recorded here; should it call malloc or
// free by name after all, the block is recorded once (t_last_block, t_deleted_block). The forms of
// an allocator in front of us are of that kind: its entries lead to the functions of front_forms.
//
// A program without the C++ library in its global scope may load one privately (a plug-in opened
// with RTLD_LOCAL); its calls bind to us, and no next definition is to be found. What libstdc++ and
// libc++ do there, malloc and free, is then done here.
#include "interpose_new.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <new>

#include "heap_calls.h"
#include "libc_functions.h"

namespace {

using lastref::CallSite;
using lastref::OperatorForm;
namespace recorder = lastref::recorder;

// malloc and free as a library's own call of them would end: in front of us, or here.
void* program_malloc(size_t size, const CallSite& site) {
    lastref::need_real_functions();
    if (lastref::front_entries.malloc) return lastref::front_entries.malloc(size);
    void* block = lastref::next_heap.malloc(size);
    if (recorder::wants_block(block, size)) recorder::block_began(block, size, site);
    return block;
}

void* program_aligned_alloc(size_t alignment, size_t size, const CallSite& site) {
    lastref::need_real_functions();
    if (lastref::front_entries.aligned_alloc) {
        return lastref::front_entries.aligned_alloc(alignment, size);
    }
    const auto function = lastref::next_heap.aligned_alloc;
    void* block = function ? function(alignment, size) : nullptr;
    if (recorder::wants_block(block, size)) {
        recorder::aligned_block_began(block, size, alignment, site);
    }
    return block;
}

void program_free(void* block, const CallSite& site) {
    lastref::need_real_functions();
    if (lastref::front_entries.free) return lastref::front_entries.free(block);
    if (recorder::wants_block_end(block)) recorder::block_ends(block, site);
    lastref::next_heap.free(block);
}

// Nothing to hand the call to: malloc, and for a failure whatever C++ library is there throws.
void* new_by_malloc(size_t size, size_t alignment, bool may_throw, const CallSite& site) {
    if (size == 0) size = 1;
    void* block = nullptr;
    size_t rounded;
    if (alignment == 0) {
        block = program_malloc(size, site);
    } else if (!__builtin_add_overflow(size, alignment - 1, &rounded)) {
        block = program_aligned_alloc(alignment, rounded & ~(alignment - 1), site);
    }
    if (block || !may_throw) return block;
    static const char* const libraries[] = {"libstdc++.so.6", "libc++.so.1"};
    for (const char* library : libraries) {
        void* handle =
            lastref::libc.dlopen ? lastref::libc.dlopen(library, RTLD_LAZY | RTLD_NOLOAD) : nullptr;
        void* throwing = handle ? lastref::libc.dlsym(handle, "_Znwm") : nullptr;
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

}  // namespace

// One definition per form: INDEX into operator_names, PARAMETERS and ARGUMENTS its own; once as our
// exported function and once for an allocator in front of us.
#define LASTREF_NEW_BODY(FORMS, INDEX, PARAMETERS, ARGUMENTS, ALIGNMENT, MAY_THROW)    \
    {                                                                                  \
        lastref::need_real_functions();                                                \
        const OperatorForm& form_ = FORMS[INDEX];                                      \
        const auto next = reinterpret_cast<void*(*)PARAMETERS>(form_.function);        \
        if (!next) return new_by_malloc(size, ALIGNMENT, MAY_THROW, LASTREF_CALLER);   \
        if (!form_.by_allocator || lastref::within_allocator()) return next ARGUMENTS; \
        lastref::t_last_block = nullptr;                                               \
        void* block = next ARGUMENTS;                                                  \
        record_new(block, size, ALIGNMENT, LASTREF_CALLER);                            \
        return block;                                                                  \
    }
#define LASTREF_NEW(INDEX, NAME, PARAMETERS, ARGUMENTS, ALIGNMENT, MAY_THROW) \
    extern "C" LASTREF_INTERPOSE void* NAME PARAMETERS LASTREF_NEW_BODY(      \
        lastref::next_operators, INDEX, PARAMETERS, ARGUMENTS, ALIGNMENT,     \
        MAY_THROW) static void* front##NAME PARAMETERS                        \
    LASTREF_NEW_BODY(lastref::front_operators, INDEX, PARAMETERS, ARGUMENTS, ALIGNMENT, MAY_THROW)

#define LASTREF_DELETE_BODY(FORMS, INDEX, PARAMETERS, ARGUMENTS)                       \
    {                                                                                  \
        if (!block) return;                                                            \
        lastref::need_real_functions();                                                \
        const OperatorForm& form_ = FORMS[INDEX];                                      \
        const auto next = reinterpret_cast<void(*) PARAMETERS>(form_.function);        \
        if (!next) return program_free(block, LASTREF_CALLER);                         \
        if (!form_.by_allocator || lastref::within_allocator()) return next ARGUMENTS; \
        record_delete(block, LASTREF_CALLER);                                          \
        lastref::t_deleted_block = block;                                              \
        next ARGUMENTS;                                                                \
        lastref::t_deleted_block = nullptr;                                            \
    }
#define LASTREF_DELETE(INDEX, NAME, PARAMETERS, ARGUMENTS)                                        \
    extern "C" LASTREF_INTERPOSE void NAME PARAMETERS LASTREF_DELETE_BODY(                        \
        lastref::next_operators, INDEX, PARAMETERS, ARGUMENTS) static void front##NAME PARAMETERS \
    LASTREF_DELETE_BODY(lastref::front_operators, INDEX, PARAMETERS, ARGUMENTS)

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

namespace lastref {

void* const front_forms[kOperatorForms] = {
    reinterpret_cast<void*>(front_Znwm),
    reinterpret_cast<void*>(front_Znam),
    reinterpret_cast<void*>(front_ZnwmRKSt9nothrow_t),
    reinterpret_cast<void*>(front_ZnamRKSt9nothrow_t),
    reinterpret_cast<void*>(front_ZnwmSt11align_val_t),
    reinterpret_cast<void*>(front_ZnamSt11align_val_t),
    reinterpret_cast<void*>(front_ZnwmSt11align_val_tRKSt9nothrow_t),
    reinterpret_cast<void*>(front_ZnamSt11align_val_tRKSt9nothrow_t),
    reinterpret_cast<void*>(front_ZdlPv),
    reinterpret_cast<void*>(front_ZdaPv),
    reinterpret_cast<void*>(front_ZdlPvm),
    reinterpret_cast<void*>(front_ZdaPvm),
    reinterpret_cast<void*>(front_ZdlPvRKSt9nothrow_t),
    reinterpret_cast<void*>(front_ZdaPvRKSt9nothrow_t),
    reinterpret_cast<void*>(front_ZdlPvSt11align_val_t),
    reinterpret_cast<void*>(front_ZdaPvSt11align_val_t),
    reinterpret_cast<void*>(front_ZdlPvmSt11align_val_t),
    reinterpret_cast<void*>(front_ZdaPvmSt11align_val_t),
    reinterpret_cast<void*>(front_ZdlPvSt11align_val_tRKSt9nothrow_t),
    reinterpret_cast<void*>(front_ZdaPvSt11align_val_tRKSt9nothrow_t),
};

}  // namespace lastref
