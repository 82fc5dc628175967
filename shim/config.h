// What the environment asks of the shim (doc/tracing.md, Environment). Read once per program,
// before any thread of the program exists; a forked child inherits it.
#ifndef LASTREF_SHIM_CONFIG_H
#define LASTREF_SHIM_CONFIG_H

#include <stdint.h>

#include "trace_format.h"

namespace lastref {

struct Config {
    trace::Level level = trace::Level::kSimple;
    uint64_t max_size = 64ull << 30;  // LASTREF_MAX_SIZE, bytes
    uint64_t ring = 0;                // LASTREF_RING, bytes of events kept; 0: all
    uint32_t depth = 128;             // LASTREF_DEPTH, frames, 1 to kMaxDepth
    uint64_t sample_bytes = 524288;   // LASTREF_SAMPLE_BYTES, mean distance of sampling points
    uint32_t sample_interval = 128;   // LASTREF_SAMPLE_INTERVAL, one buffer in so many
    bool free_stacks = true;          // LASTREF_FREE_STACKS
    bool follow_fork = true;          // LASTREF_FOLLOW_FORK
    bool verbose = false;             // LASTREF_VERBOSE
    bool confined = false;            // LASTREF_CONFINED: seccomp filters permit what we call
    static constexpr uint32_t kUnknown = UINT32_MAX;
    uint32_t filters_around = kUnknown;  // LASTREF_SECCOMP_FILTERS: those of `lastref run`
    char hooks[2048] = {};               // LASTREF_HOOKS: packs and rule files, joined by commas
    uint8_t run_id[16] = {};             // LASTREF_RUN_ID: set by `lastref run`
    char out[4096] = {};                 // LASTREF_OUT, an absolute pattern; PATH_MAX
};

inline constexpr uint32_t kMaxDepth = 1024;

// Parses the environment into `config`. Bad values keep their defaults; they are named in
// `complaint` (empty where there is none), one line without its newline.
void read_config(char** environment, Config& config, char* complaint, unsigned complaint_size);

// The trace's path from config.out: %p pid, %e program name, %n `number`, %% a percent sign. A
// first name of a pattern without %n has no number; others (`is_another`) end in the pid and, where
// that is not enough, the number. False where it does not fit `size`.
struct NameTry {
    bool is_another = false;
    uint64_t number = 0;
};
bool expand_path(const Config& config, const char* program, int pid, NameTry attempt, char* path,
                 unsigned size);

}  // namespace lastref

#endif  // LASTREF_SHIM_CONFIG_H
