#include "read/op_names.h"

namespace lastref {

std::string_view op_name(trace::Op op) {
    return op_row(op).name;
}

std::string_view loss_name(trace::Loss loss) {
    using trace::Loss;
    switch (loss) {
        case Loss::kNoSpace:
            return "the file could not be extended (disk full, quota or limit)";
        case Loss::kSizeLimit:
            return "LASTREF_MAX_SIZE was reached";
        case Loss::kNested:
            return "too many signal handlers on top of each other";
        case Loss::kContended:
            return "a lock could not be had in time";
        case Loss::kSandbox:
            return "a seccomp filter forbids extending the file";
        case Loss::kNoMemory:
            return "the shim got no memory for its tables";
        case Loss::kNoFile:
            return "the file could not be reached again";
        default:
            return "a reason that this version does not know";
    }
}

std::string_view note_text(trace::Note note) {
    switch (note) {
        case trace::kNoteOwnMalloc:
            return "the program's own allocator is not seen";
        case trace::kNoteInherited:
            return "forked from a traced process: earlier blocks are unknown";
        case trace::kNoteStopped:
            return "recording stopped before the process ended";
        case trace::kNoteCommandCut:
            return "the command line is longer than shown";
        case trace::kNoteNoFreeStacks:
            return "without stacks of heap frees";
        case trace::kNoteLateStart:
            return "recording began in a running process: what it had is unknown";
        case trace::kNoteHeapByEntries:
            return "the program's own allocator is seen by its entries; a few blocks are older";
        case trace::kNoteHeapInPart:
            return "a part of the program allocates unseen";
    }
    return "";
}

std::string_view level_name(trace::Level level) {
    using trace::Level;
    switch (level) {
        case Level::kDisabled:
            return "disabled";
        case Level::kSimple:
            return "simple";
        case Level::kAdvanced:
            return "advanced";
        case Level::kParanoid:
            return "paranoid";
    }
    return "unknown";
}

std::string_view failed_call_name(uint32_t call) {
    using trace::FailedCall;
    switch (static_cast<FailedCall>(call)) {
        case FailedCall::kMalloc:
            return "malloc";
        case FailedCall::kCalloc:
            return "calloc";
        case FailedCall::kMemalign:
            return "memalign";
        case FailedCall::kRealloc:
            return "realloc";
        case FailedCall::kMmap:
            return "mmap";
        case FailedCall::kMremap:
            return "mremap";
        case FailedCall::kBreak:
            return "brk";
        case FailedCall::kReallocArray:
            return "reallocarray";
        case FailedCall::kPosixMemalign:
            return "posix_memalign";
        case FailedCall::kAlignedAlloc:
            return "aligned_alloc";
        case FailedCall::kValloc:
            return "valloc";
        case FailedCall::kPvalloc:
            return "pvalloc";
    }
    return "allocation";
}

std::string_view field_text(const OpField& field, const Event& event, const StringPool& strings) {
    switch (field.shown) {
        case Shown::kText:
            return strings[event.string];
        case Shown::kFailedCall:
            return failed_call_name(event.detail);
        case Shown::kMunmapCall:
            return "munmap";
        case Shown::kExitValue:
            return event.detail == static_cast<uint32_t>(trace::ExitKind::kSignal) ? "signal"
                                                                                   : "status";
        default:
            return {};
    }
}

}  // namespace lastref
