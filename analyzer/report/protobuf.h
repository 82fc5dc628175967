// Writes messages in the Protocol Buffers wire format (protobuf.dev, 'Encoding'): as much of it as
// pprof and Perfetto need, so that neither needs generated code.
#ifndef LASTREF_ANALYZER_REPORT_PROTOBUF_H
#define LASTREF_ANALYZER_REPORT_PROTOBUF_H

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lastref {

// One message, field by field. Fields with their default value are left out, as in proto3; where
// that value must be written (in a oneof, or proto2) there is always().
class ProtobufMessage {
public:
    void number(uint32_t field, uint64_t value) {
        if (value != 0) always(field, value);
    }
    void always(uint32_t field, uint64_t value);
    void real(uint32_t field, double value);
    void text(uint32_t field, std::string_view bytes);
    void message(uint32_t field, const ProtobufMessage& inner) { text(field, inner.bytes_); }
    void packed(uint32_t field, std::span<const uint64_t> values);

    const std::string& bytes() const { return bytes_; }

private:
    std::string bytes_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_PROTOBUF_H
