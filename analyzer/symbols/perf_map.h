// Names of generated code, from the file that a JIT compiler leaves for perf: /tmp/perf-PID.map.
//
// Each line is 'START SIZE NAME', both numbers hexadecimal (Linux tools/perf/Documentation/
// jit-interface.txt). Code moves and memory is reused, so a later line wins over an earlier one.
#ifndef LASTREF_ANALYZER_SYMBOLS_PERF_MAP_H
#define LASTREF_ANALYZER_SYMBOLS_PERF_MAP_H

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace lastref {

class PerfMap {
public:
    // The map of a process, empty where there is none. Anyone may write to /tmp: a file that
    // belongs to neither this user nor root, or is not a regular file, is not read.
    static PerfMap of_process(int32_t pid);

    // Lines that make no sense are skipped.
    void read(std::string_view text);

    // Empty where no line covers the address.
    std::string_view find(uint64_t address) const;

private:
    struct Code {
        uint64_t end;
        std::string name;
    };
    void assign(uint64_t begin, uint64_t end, std::string_view name);

    std::map<uint64_t, Code> code_;  // by begin; disjoint
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_SYMBOLS_PERF_MAP_H
