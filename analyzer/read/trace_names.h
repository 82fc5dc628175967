// Names that a trace brings along (NAMES in trace_format.h): source frames by module and ELF
// address.
#ifndef LASTREF_ANALYZER_READ_TRACE_NAMES_H
#define LASTREF_ANALYZER_READ_TRACE_NAMES_H

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "read/byte_source.h"
#include "read/damage.h"

namespace lastref {

struct NamedFrame {
    std::string function;
    std::string file;
    uint32_t line = 0;
};

// By the module's place among the trace's modules (their number: none) and the ELF address; the
// innermost frame first.
using TraceNames = std::map<std::pair<uint32_t, uint64_t>, std::vector<NamedFrame>>;

std::string encode_names(const TraceNames& names);

// Distrusts every byte: everything after damage is left out and reported.
TraceNames read_names(const ByteSource& bytes, uint64_t offset, uint64_t size, DamageList& damage);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_TRACE_NAMES_H
