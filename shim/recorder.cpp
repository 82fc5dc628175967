#include "recorder.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <atomic>

#include "known_pages.h"
#include "raw_syscall.h"
#include "recording.h"
#include "text.h"

namespace lastref::recorder {
namespace {

void failed(FailedCall call, size_t size, const CallSite& site) {
    Fields fields;
    fields.size = size;
    fields.detail = static_cast<uint32_t>(call);
    record<Op::kFailed>(When::kAfter, fields, &site);
    trace::TraceHeader* const header = process.file.header;
    if (header && may_call_kernel()) header->address_space_limit = raw::soft_limit(RLIMIT_AS);
}

template <Op op>
[[gnu::always_inline]] inline void record_block(const void* block, size_t size,
                                                const CallSite& site, const LookedAt* ahead) {
    if (!block) [[unlikely]] {
        failed(op == Op::kCalloc ? FailedCall::kCalloc : FailedCall::kMalloc, size, site);
        return;
    }
    t_last_block = block;
    Fields fields;
    fields.address = number(block);
    fields.size = size;
    record_now<op>(When::kAfter, fields, &site, ahead);
}

[[gnu::noinline]] void block_ends_with_stack(const Fields& fields, const CallSite& site) {
    record_now<Op::kFree>(When::kBefore, fields, &site);
}

}  // namespace

LookedAt look_ahead(const CallSite& site) {
    const uint32_t level = t_depth;
    ThreadState* state = t_state;
    if (level >= kLogs || !state->writers[level].memo) [[unlikely]]
        return {};
    return look_at_stack(site, state->own_stack, *state->writers[level].memo);
}

void block_began(const void* block, size_t size, const CallSite& site, const LookedAt* ahead) {
    record_block<Op::kMalloc>(block, size, site, ahead);
}

void zeroed_block_began(const void* block, size_t size, const CallSite& site) {
    record_block<Op::kCalloc>(block, size, site, nullptr);
}

void aligned_block_began(const void* block, size_t size, size_t alignment, const CallSite& site,
                         FailedCall call) {
    if (!block) {
        failed(call, size, site);
        return;
    }
    t_last_block = block;
    Fields fields;
    fields.address = number(block);
    fields.size = size;
    fields.other_size = alignment;
    record<Op::kMemalign>(When::kAfter, fields, &site);
}

void block_ends(const void* block, const CallSite& site) {
    Fields fields;
    fields.address = number(block);
    if (process.config.free_stacks && process.config.level != trace::Level::kSimple)
        block_ends_with_stack(fields, site);
    else
        record_now<Op::kFree>(When::kBefore, fields, nullptr);
}

bool realloc_begins(const void* old_block) {
    if (!wants_block_end(old_block)) return false;
    Fields fields;
    fields.address = number(old_block);
    record<Op::kReallocBegin>(When::kBefore, fields, nullptr);
    return true;
}

void realloc_done(bool old_recorded, const void* old_block, const void* new_block, size_t size,
                  const CallSite& site, FailedCall call) {
    if (!new_block) {
        if (!recording) return;
        failed(call, size, site);
        if (!old_recorded) return;
        if (sampling()) process.session->blocks->insert(old_block, 0);
    } else if (!wants_block(new_block, size)) {
        return;  // the old block's end has been recorded, if it had to be
    }
    Fields fields;
    fields.address = number(new_block);
    fields.other = old_recorded ? number(old_block) : 0;
    fields.size = size;
    record<Op::kRealloc>(When::kAfter, fields, &site);
}

namespace slow {

bool take_block(const void* block, size_t size) {
    ThreadState* state = t_state;
    if (!state->attached) {
        {
            Recording scope;
            if (!scope.log(0)) return false;
        }
        // The session may have begun just now, and with it the level be known.
        if (!sampling()) return true;
        state = t_state;
        if (!state->attached || !sample_block(state->points, size, process.config.sample_bytes)) {
            return false;
        }
    }
    return process.session->blocks->insert(block, 0);
}

bool drop_block(const void* block) {
    return process.session->blocks->remove(block);
}

}  // namespace slow

void mapping_began(const void* address, size_t size, int protection, int flags, int fd,
                   const CallSite& site) {
    if (flags & MAP_FIXED) forget_known_pages();
    Fields fields;
    fields.address = number(address);
    fields.size = size;
    fields.value = fd;
    fields.detail = static_cast<uint32_t>(protection & 0xf) | static_cast<uint32_t>(flags) << 4;
    record<Op::kMmap>(When::kAfter, fields, &site);
}

void mapping_failed(FailedCall call, size_t size, const CallSite& site) {
    if (errno == ENOMEM || errno == EAGAIN) failed(call, size, site);
}

void mapping_ends(const void* address, size_t size, const CallSite& site) {
    forget_known_pages();
    Fields fields;
    fields.address = number(address);
    fields.size = size;
    record<Op::kMunmap>(When::kBefore, fields, &site);
}

void mapping_did_not_end(const void* address, size_t size) {
    Fields fields;
    fields.address = number(address);
    fields.size = size;
    record<Op::kMunmapFailed>(When::kAfter, fields, nullptr);
}

void remap_begins(const void* address, size_t size) {
    forget_known_pages();
    Fields fields;
    fields.address = number(address);
    fields.size = size;
    record<Op::kMremapBegin>(When::kBefore, fields, nullptr);
}

void remap_done(const void* old_address, const void* new_address, size_t old_size, size_t new_size,
                const CallSite& site) {
    Fields fields;
    fields.address = number(new_address);
    fields.other = number(old_address);
    fields.size = new_size;
    fields.other_size = old_size;
    record<Op::kMremap>(When::kAfter, fields, &site);
    if (!new_address) mapping_failed(FailedCall::kMremap, new_size, site);
}

void break_moved(const void* end, intptr_t increment, const CallSite& site) {
    Fields fields;
    fields.address = number(end);
    fields.value = increment;
    record<Op::kBreak>(When::kAfter, fields, &site);
}

void forked(int32_t child, const CallSite& site) {
    Fields fields;
    fields.value = child;
    record<Op::kFork>(When::kAfter, fields, &site);
    if (trace::TraceHeader* const header = process.file.header)
        std::atomic_ref(header->children).fetch_add(1, std::memory_order_relaxed);
}

void about_to_exec(const char* path, const CallSite& site) {
    Fields fields;
    fields.text = path ? path : "";
    fields.text_size = static_cast<uint32_t>(strnlen(fields.text, trace::kMaxText - 1));
    record<Op::kExec>(When::kBefore, fields, &site);
    if (trace::TraceHeader* const header = process.file.header)
        Text(header->executed, sizeof(header->executed)).add(fields.text, fields.text_size);
}

void about_to_exit(trace::ExitKind kind, int32_t value, const CallSite& site) {
    Fields fields;
    fields.value = value;
    fields.detail = static_cast<uint32_t>(kind);
    record<Op::kExit>(When::kBefore, fields, &site);
}

}  // namespace lastref::recorder
