#include "read/op_names.h"

namespace lastref {

std::string_view op_name(trace::Op op) {
    using trace::Op;
    switch (op) {
        case Op::kMalloc:
            return "malloc";
        case Op::kCalloc:
            return "calloc";
        case Op::kMemalign:
            return "memalign";
        case Op::kRealloc:
            return "realloc";
        case Op::kReallocBegin:
            return "realloc-begin";
        case Op::kMremapBegin:
            return "mremap-begin";
        case Op::kFree:
            return "free";
        case Op::kFailed:
            return "failed";
        case Op::kMmap:
            return "mmap";
        case Op::kMunmap:
            return "munmap";
        case Op::kMunmapFailed:
            return "munmap-failed";
        case Op::kMremap:
            return "mremap";
        case Op::kBreak:
            return "break";
        case Op::kCreate:
            return "create";
        case Op::kRetain:
            return "retain";
        case Op::kRelease:
            return "release";
        case Op::kTouch:
            return "touch";
        case Op::kCount:
            return "count";
        case Op::kMove:
            return "move";
        case Op::kDestroy:
            return "destroy";
        case Op::kMark:
            return "mark";
        case Op::kFork:
            return "fork";
        case Op::kExec:
            return "exec";
        case Op::kExit:
            return "exit";
        case Op::kThreadInfo:
            return "thread";
        case Op::kLoad:
            return "load";
        case Op::kUnload:
            return "unload";
        case Op::kCounted:
            return "counted";
        case Op::kHook:
            return "hook";
        default:
            return "";
    }
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
            return "the program defines malloc itself: its heap is not seen";
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
    }
    return "allocation";
}

}  // namespace lastref
