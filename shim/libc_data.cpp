#include "libc_data.h"

#include <stdlib.h>

#include "module_lookup.h"
#include "record_writer.h"
#include "session.h"
#include "symbol_lookup.h"

namespace lastref {
namespace {

struct Range {
    uintptr_t begin = 0, end = 0;
};

// Its variables: the writable segment, but for what the loader made read-only again.
Range variables_of(const Module& module) {
    const auto& header = *reinterpret_cast<const ElfW(Ehdr)*>(module.begin);
    const auto* segments = reinterpret_cast<const ElfW(Phdr)*>(module.begin + header.e_phoff);
    Range range, fixed;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        const uintptr_t begin = module.map->l_addr + segments[i].p_vaddr;
        const Range here = {begin, begin + segments[i].p_memsz};
        if (segments[i].p_type == PT_LOAD && (segments[i].p_flags & PF_W)) range = here;
        if (segments[i].p_type == PT_GNU_RELRO) fixed = here;
    }
    if (fixed.begin <= range.begin && fixed.end > range.begin) range.begin = fixed.end;
    range.begin = (range.begin + 7) & ~uintptr_t{7};
    return range;
}

// Blocks of malloc's lie at multiples of 16.
bool may_be_block(uintptr_t word, const Module& libc) {
    constexpr uintptr_t kLowest = 1 << 16, kHighest = uintptr_t{1} << 47;
    return word % 16 == 0 && word >= kLowest && word < kHighest &&
           (word < libc.begin || word >= libc.end);
}

class Words {
public:
    void add(uintptr_t word) {
        words_[count_++] = word;
        if (count_ == kMost) write();
    }
    void write() {
        if (count_ == 0) return;
        const uint32_t size = count_ * sizeof(words_[0]);
        Session& session = *process.session;
        SlowLockHolder lock(session.lock, may_call_kernel());
        Log* meta = lock.owned() ? make_meta_room(size) : nullptr;
        if (meta) {
            Fields fields;
            fields.value = count_;
            fields.detail = static_cast<uint32_t>(trace::HookFact::kLibcData);
            fields.text = "libc";
            fields.text_size = 4;
            fields.text2 = words_;
            fields.text2_size = size;
            write_record<trace::Op::kHook>(*meta, ticks_after(session.clock), fields, 0);
        }
        count_ = 0;
    }

private:
    static constexpr uint32_t kMost = 48;
    uint64_t words_[kMost];
    uint32_t count_ = 0;
};

}  // namespace

void note_libc_data() {
    if (process.session->state.load(std::memory_order_acquire) != SessionState::kRecording) return;
    Module libc;
    if (!find_module(libc_symbol("on_exit"), libc) || !libc.map) return;
    const Range data = variables_of(libc);
    Words words;
    for (uintptr_t at = data.begin; at + sizeof(uintptr_t) <= data.end; at += sizeof(uintptr_t)) {
        // Other threads may write it.
        const uintptr_t word =
            std::atomic_ref(*reinterpret_cast<uintptr_t*>(at)).load(std::memory_order_relaxed);
        if (may_be_block(word, libc)) words.add(word);
    }
    words.write();
}

}  // namespace lastref
