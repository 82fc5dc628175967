// Numbers and names as people read them.
#ifndef LASTREF_ANALYZER_REPORT_UNITS_H
#define LASTREF_ANALYZER_REPORT_UNITS_H

#include <cstdint>
#include <string>
#include <string_view>

namespace lastref {

std::string bytes_text(uint64_t bytes);  // "17 bytes", "250.0 KiB"

// "1 buffer", "1000 buffers"
std::string counted(uint64_t count, std::string_view noun);

std::string_view base_name(std::string_view path);

// Names come from traced programs: whatever would steer a terminal is shown as '?'.
std::string printable(std::string_view text);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_UNITS_H
