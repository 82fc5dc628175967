#include "pack/open_trace.h"

#include <utility>

#include "pack/packed_source.h"

namespace lastref {
namespace {

Result<std::unique_ptr<TraceFile>> open_bytes(std::unique_ptr<ByteSource> stored,
                                              const std::string& path) {
    DamageList damage;
    if (!packed::PackedSource::is_packed(*stored)) {
        return TraceFile::read(std::move(stored), path, std::move(damage));
    }
    auto source = packed::PackedSource::open(std::move(stored), path, damage);
    if (!source) return source.error();
    return TraceFile::read(std::move(*source), path, std::move(damage));
}

}  // namespace

Result<std::unique_ptr<TraceFile>> open_trace(const std::string& path) {
    Result<std::unique_ptr<ByteSource>> bytes = ByteSource::open(path);
    if (!bytes) return bytes.error();
    return open_bytes(std::move(*bytes), path);
}

Result<std::unique_ptr<TraceFile>> open_trace(std::vector<uint8_t> bytes, const std::string& name) {
    return open_bytes(ByteSource::from_bytes(std::move(bytes)), name);
}

}  // namespace lastref
