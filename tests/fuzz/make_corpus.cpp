// Writes the seed corpus: traces of every kind of record, whole, cut and with flipped bits, plain
// and packed. Bits of packed traces are flipped with their checksums mended, so that what reads the
// columns meets them.
//
// Deterministic, so that running it again after a change of the format shows what changed.
// Usage: make_corpus FOLDER
//        make_corpus --pack FOLDER TRACE...   seeds for the inside of packed traces: each trace's
//                                             first chunk of events, cut, as pack_target.cpp takes
//                                             it
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pack/pack_writer.h"
#include "pack/segment.h"
#include "read/chunk_index.h"
#include "read/varint.h"
#include "support/trace_builder.h"

using lastref::testing::TraceBuilder;

namespace {

TraceBuilder buffers() {
    TraceBuilder builder;
    const uint32_t a = builder.stack({0x10, 0x20, 0x30}), b = builder.stack({0x11, 0x20, 0x30});
    builder.load(0, 0x1000, 0x9000, "/bin/program", "\xab\xcd").thread_info(1, 42, "main");
    for (uint64_t i = 0; i < 6; ++i) {
        const uint64_t block = 0x10000 + i * 64, buffer = block + 16;
        builder.malloc(block, 48, a).create(buffer, 32, "Buffer", a).retain(buffer, b);
        builder.touch(buffer, "parsed", b).release(buffer, a).count(buffer, i == 3 ? 5 : 1);
        if (i % 2 == 0) builder.release(buffer, b).free(block, a);
    }
    builder.create(0x20000, 8, "Other", b).release(0x20000).release(0x20000, b);
    builder.create(0x30000, 8, "Other", b).move(0x30000, 0x40000).destroy(0x40000);
    return builder.touch(0x40000, "late", a).unload(0, 1);
}

// Of a hooked library, in logs whose numbers are far apart.
TraceBuilder hooked() {
    using lastref::trace::HookFact;
    constexpr uint32_t kFlags = lastref::trace::kCountKnown | lastref::trace::kRevives;
    TraceBuilder builder;
    const uint32_t a = builder.stack({0x10, 0x20}), b = builder.stack({0x11, 0x20});
    builder.load(0, 0x1000, 0x9000, "/lib/box.so", "\xab\xcd");
    builder.hook(HookFact::kType, "Box", kFlags).hook(HookFact::kHooked, "/lib/box.so", 3);
    builder.hook(HookFact::kRefused, "box_peek", 0, "too short");
    builder.hook(HookFact::kCounterFollowed, "Box", 0);
    for (uint64_t i = 0; i < 6; ++i) {
        builder.log = i % 2 == 0 ? 1 : UINT32_MAX - static_cast<uint32_t>(i / 2);
        const uint64_t box = 0x10000 + i * 64;
        builder.counted(box, 1, "Box", kFlags).create(box, 32, "Box", a);
        builder.counted(box, 1 + static_cast<int64_t>(i % 3), "Box", kFlags).retain(box, b);
        builder.counted(box, 2, "Box", kFlags).release(box, a);
        if (i != 3) builder.counted(box, 1, "Box", kFlags).release(box, b);
        if (i == 4) builder.counted(box, 0, "Box", kFlags).retain(box, a).destroy(box, b);
    }
    builder.hook(HookFact::kBadPointer, "box_ref", 2, "box.rules:3");
    return builder.hook(HookFact::kNoCounter, "Crate", 7, "it does not follow");
}

TraceBuilder heap() {
    TraceBuilder builder;
    const uint32_t a = builder.stack({0x10, 0x20}), b = builder.stack({0x11, 0x20});
    builder.malloc(0x1000, 16, a).realloc_begin(0x1000).realloc_end(0x1000, 0x2000, 99, b);
    builder.realloc_begin(0x2000).realloc_end(0x2000, 0, 1u << 31, b).free(0x2000, b);
    builder.free(0x2000, a).failed(lastref::trace::FailedCall::kCalloc, 1u << 30, a);
    builder.log = 2;
    builder.mmap(0x100000, 0x8000, a).munmap(0x102000, 0x1000, b).munmap(0x104000, 0x1000);
    builder.munmap_failed(0x104000, 0x1000).mremap_begin(0x105000, 0x1000);
    builder.mremap_end(0x105000, 0x1000, 0x900000, 0x4000, b).malloc(0x1000, 7, b);
    return builder;
}

TraceBuilder many_chunks() {
    TraceBuilder builder;
    const uint32_t a = builder.stack({0x10});
    for (uint64_t i = 0; i < 40; ++i) {
        builder.log = 1 + i % 3;
        if (i % 10 == 9) builder.new_chunk(builder.log);
        builder.malloc(0x1000 + i % 7 * 32, 24, a).free(0x1000 + i % 7 * 32);
    }
    builder.header.exit_kind = lastref::trace::ExitKind::kSignal;
    builder.header.exit_value = 9;
    return builder;
}

void write(const std::filesystem::path& path, const std::vector<uint8_t>& bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
}

std::vector<uint8_t> packed(const std::vector<uint8_t>& plain) {
    const int memory = memfd_create("packed", MFD_CLOEXEC);
    const auto size = lastref::packed::pack_trace(*lastref::ByteSource::from_bytes(plain), "plain",
                                                  memory, "packed", [](double) {});
    if (!size) std::abort();
    std::vector<uint8_t> bytes(*size);
    if (pread(memory, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        std::abort();
    }
    close(memory);
    return bytes;
}

// Flips one bit of each segment's body and mends its checksum.
void flip_bodies(std::vector<uint8_t>& bytes, std::mt19937& random) {
    using namespace lastref::packed;
    for (size_t at = sizeof(PackedHeader); at < bytes.size();) {
        SegmentHeader header;
        std::memcpy(&header, &bytes[at], sizeof(header));
        std::vector<SegmentEntry> entries(header.entries);
        std::memcpy(entries.data(), &bytes[at + sizeof(header)],
                    entries.size() * sizeof(SegmentEntry));
        const size_t body = at + sizeof(header) + entries.size() * sizeof(SegmentEntry);
        bytes[body + random() % header.body_size] ^= static_cast<uint8_t>(1u << random() % 8);
        header.body_check = checksum(&bytes[body], header.body_size);
        header.head_check = head_check(header, entries);
        std::memcpy(&bytes[at], &header, sizeof(header));
        at = body + header.body_size;
    }
}

void write_packed(const std::filesystem::path& path, const std::vector<uint8_t>& plain,
                  std::mt19937& random) {
    const std::vector<uint8_t> bytes = packed(plain);
    write(path, bytes);
    write(path.string() + "-cut", {bytes.begin(), bytes.end() - 40});
    for (int i = 0; i < 8; ++i) {
        std::vector<uint8_t> flipped = bytes;
        flip_bodies(flipped, random);
        write(path.string() + "-flip" + std::to_string(i), flipped);
    }
}

void write_plain(const std::filesystem::path& path, const std::vector<uint8_t>& bytes,
                 std::mt19937& random) {
    write(path, bytes);
    const size_t cuts[] = {bytes.size() - 4000, bytes.size() / 2 + 100, 4096 + 70};
    for (size_t i = 0; i < std::size(cuts); ++i) {
        write(path.string() + "-cut" + std::to_string(i),
              {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cuts[i])});
    }
    for (int i = 0; i < 4; ++i) {
        std::vector<uint8_t> flipped = bytes;
        for (int flips = 0; flips < 12; ++flips) {
            // Headers and the records behind them, not the empty rest of each chunk.
            const size_t unit = 1 + random() % (bytes.size() / 4096 - 1);
            flipped[unit * 4096 + random() % 160] ^= static_cast<uint8_t>(1u << random() % 8);
        }
        write(path.string() + "-flip" + std::to_string(i), flipped);
    }
}

void write_seeds(const std::filesystem::path& folder,
                 const std::vector<std::pair<std::string, TraceBuilder>>& seeds,
                 std::mt19937& random) {
    for (const auto& [name, builder] : seeds) write_plain(folder / name, builder.bytes(), random);
    for (const auto& [name, builder] : seeds) {
        write_packed(folder / ("packed-" + name), builder.bytes(), random);
    }
}

// Every column with its length before it, unpacked.
std::vector<uint8_t> columns_of(std::span<const uint8_t> body) {
    std::array<std::vector<uint8_t>, lastref::packed::kColumns> columns;
    const uint8_t* at = body.data();
    uint64_t count = 0;
    at = lastref::read_varint(at, count);
    struct Place {
        uint8_t column;
        uint64_t size, packed;
    };
    std::vector<Place> places(count);
    for (Place& place : places) {
        place.column = *at++;
        at = lastref::read_varint(lastref::read_varint(at, place.size), place.packed);
    }
    for (const Place& place : places) {
        std::vector<uint8_t>& column = columns.at(place.column);
        column.resize(place.size);
        if (place.packed == place.size) {
            std::copy_n(at, place.size, column.begin());
        } else if (ZSTD_decompress(column.data(), place.size, at, place.packed) != place.size) {
            std::abort();
        }
        at += place.packed;
    }
    std::vector<uint8_t> all;
    for (const std::vector<uint8_t>& column : columns) {
        all.push_back(static_cast<uint8_t>(column.size()));
        all.push_back(static_cast<uint8_t>(column.size() >> 8));
        all.insert(all.end(), column.begin(), column.end());
    }
    return all;
}

// A payload of `size` bytes in one chunk; whole times 64, as the target can name it.
void write_pack_seeds(const std::filesystem::path& path, std::vector<uint8_t> payload) {
    using namespace lastref::packed;
    const auto seed = [&](uint8_t kind, const std::vector<uint8_t>& rest) {
        std::vector<uint8_t> bytes = {kind, 0, static_cast<uint8_t>(payload.size() / 64)};
        bytes.insert(bytes.end(), rest.begin(), rest.end());
        return bytes;
    };
    write(path.string() + "-payload", seed(0, payload));
    SegmentContents contents;
    contents.kind = SegmentKind::kRecords;
    contents.entries.resize(1);
    contents.entries[0].header.log = 1;
    contents.entries[0].header.committed = static_cast<uint32_t>(payload.size());
    contents.bytes = payload;
    contents.bytes.resize(payload.size() + lastref::kDecodePadding);
    std::vector<uint8_t> body = pack_segment(contents);
    body.erase(body.begin(), body.begin() + sizeof(SegmentHeader) + sizeof(SegmentEntry));
    write(path.string() + "-body", seed(1, body));
    body.resize(body.size() + lastref::kDecodePadding);
    write(path.string() + "-columns", seed(2, columns_of(body)));
}

int write_pack_corpus(const std::filesystem::path& folder, std::span<char*> traces) {
    constexpr size_t kMost = 24 * 64;
    std::filesystem::create_directories(folder);
    for (const char* const path : traces) {
        const auto bytes = lastref::ByteSource::open(path);
        if (!bytes) return std::fprintf(stderr, "%s\n", bytes.error().message().c_str()), 3;
        lastref::DamageList damage;
        lastref::trace::TraceHeader header;
        (*bytes)->read(0, &header, sizeof(header));
        const auto index = lastref::index_chunks(**bytes, header, damage);
        const lastref::Chunk& chunk = index.logs.back().chunks.front();
        std::vector<uint8_t> payload(std::min<size_t>(chunk.committed, kMost) / 64 * 64);
        (*bytes)->read(chunk.offset, payload.data(), payload.size());
        write_pack_seeds(folder / std::filesystem::path(path).stem(), payload);
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    if (count > 3 && std::string_view(arguments[1]) == "--pack") {
        return write_pack_corpus(arguments[2], {arguments + 3, static_cast<size_t>(count) - 3});
    }
    if (count != 2) {
        std::fprintf(stderr, "usage: make_corpus FOLDER | --pack FOLDER TRACE...\n");
        return 2;
    }
    const std::filesystem::path folder = arguments[1];
    std::filesystem::create_directories(folder);
    std::mt19937 random(1);
    write_seeds(folder, {{"buffers", buffers()}, {"heap", heap()}, {"chunks", many_chunks()}},
                random);
    write_seeds(folder, {{"hooked", hooked()}}, random);
    write(folder / "empty", {});
    write(folder / "magic-only", {'L', 'A', 'S', 'T', 'R', 'E', 'F', '\n'});
    return 0;
}
