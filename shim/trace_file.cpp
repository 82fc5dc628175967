#include "trace_file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <atomic>

#include "raw_syscall.h"

namespace lastref {
namespace {

constexpr uint32_t kFirstExtent = 128u << 10;
constexpr uint32_t kLargestExtent = 8u << 20;

bool stat_descriptor(int fd, struct stat& info) {
    return !raw::failed(raw::call(SYS_fstat, fd, reinterpret_cast<long>(&info)));
}

bool is_our_file(const TraceFile& file, int fd) {
    struct stat info;
    return fd >= 0 && stat_descriptor(fd, info) && info.st_dev == file.device &&
           info.st_ino == file.inode;
}

// Programs expect low numbers to be free, and 0 to 2 to be what they were.
int move_high(int fd) {
    const uint64_t limit = raw::soft_limit(RLIMIT_NOFILE);
    long lowest = static_cast<long>(limit < 4096 ? limit : 4096) - 16;
    for (; lowest > 3; lowest = lowest / 2) {
        const long moved = raw::call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, lowest);
        if (!raw::failed(moved)) {
            raw::close(fd);
            return static_cast<int>(moved);
        }
    }
    return fd;
}

bool have_descriptor(TraceFile& file) {
    if (is_our_file(file, file.fd)) return true;
    const int fd = raw::open(file.path, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0) return false;
    if (!is_our_file(file, fd)) {
        raw::close(fd);
        return false;
    }
    file.fd = move_high(fd);
    return true;
}

bool write_zeros(int fd, uint64_t offset, uint64_t size) {
    alignas(64) static const uint8_t zeros[65536] = {};  // a chunk at once makes large folios
    while (size != 0) {
        const uint64_t part = size < sizeof(zeros) ? size : sizeof(zeros);
        const long done = raw::call(SYS_pwrite64, fd, reinterpret_cast<long>(zeros),
                                    static_cast<long>(part), static_cast<long>(offset));
        if (done == -EINTR) continue;
        if (raw::failed(done) || done == 0) return false;
        offset += static_cast<uint64_t>(done);
        size -= static_cast<uint64_t>(done);
    }
    return true;
}

// Puts disk blocks behind [offset, offset + size).
bool reserve_blocks(TraceFile& file, uint64_t offset, uint64_t size) {
    // Beyond RLIMIT_FSIZE the kernel would not only refuse but send SIGXFSZ.
    if (offset + size > raw::soft_limit(RLIMIT_FSIZE)) return false;
    long result;
    do {
        result = raw::call(SYS_fallocate, file.fd, 0, static_cast<long>(offset),
                           static_cast<long>(size));
    } while (result == -EINTR);
    if (result == -EOPNOTSUPP || result == -ENOSYS) {
        file.written_ahead = true;
        return write_zeros(file.fd, offset, size);
    }
    return !raw::failed(result);
}

// Puts pages behind a chunk at `base` that will be filled, as zeros, and maps them: in one go that
// costs a quarter of what the page faults of a mapping of reserved blocks cost (measured on ext4).
// Where it can't be done (mapping ahead: before Linux 5.14) the faults do it.
void fill_ahead(TraceFile& file, uint8_t* base, uint64_t offset, uint32_t size) {
    constexpr uint32_t kWorthIt = 32u << 10;
    if (size < kWorthIt || file.written_ahead || !file.may_call_kernel || !have_descriptor(file)) {
        return;
    }
    if (offset + size > raw::soft_limit(RLIMIT_FSIZE) || !write_zeros(file.fd, offset, size))
        return;
    constexpr long kMapWritable = 23;  // MADV_POPULATE_WRITE
    raw::call(SYS_madvise, reinterpret_cast<long>(base), size, kMapWritable);
}

void unmap_extent(Extent& extent) {
    raw::unmap(extent.base, extent.size);
    extent = Extent{};
}

// A new current extent of `size` bytes, or less down to `least` where space is short.
trace::Loss grow(TraceFile& file, uint32_t size, uint32_t least) {
    using trace::Loss;
    if (!file.may_call_kernel) return Loss::kSandbox;
    const uint64_t offset = file.header->chunks_end;
    if (offset + least > file.max_size) return Loss::kSizeLimit;
    int slot = 0;
    while (slot < static_cast<int>(TraceFile::kMaxExtents) && file.extents[slot].base) slot++;
    if (slot == static_cast<int>(TraceFile::kMaxExtents)) return Loss::kNoMemory;
    if (!have_descriptor(file)) return Loss::kNoFile;
    for (; size >= least; size /= 2) {
        if (offset + size > file.max_size) continue;
        if (offset + size > file.reserved_end && !reserve_blocks(file, offset, size)) continue;
        void* base = raw::map(size, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, offset);
        if (!base) return Loss::kNoMemory;
        if (offset + size > file.reserved_end) file.reserved_end = offset + size;
        if (file.current >= 0 && file.extents[file.current].live_chunks == 0) {
            unmap_extent(file.extents[file.current]);
        }
        Extent& extent = file.extents[slot];
        extent.offset = offset;
        extent.size = size;
        extent.live_chunks = 0;
        extent.base = static_cast<uint8_t*>(base);
        file.current = slot;
        return Loss::kCount;
    }
    return Loss::kNoSpace;
}

// The names that a process tries: that of the pattern, which is its own where nothing else makes
// traces by the same pattern; names numbered from 1; then such as no other process will try at the
// same time, so that the number of traces beside each other is no limit.
constexpr int kNumberedNames = 10, kNameTries = 64;

NameTry name_try(int index, int pid) {
    if (index < kNumberedNames) return {index != 0, static_cast<uint64_t>(index)};
    if (index == kNumberedNames) return {true, static_cast<uint64_t>(pid)};
    uint32_t random = 0;
    raw::call(SYS_getrandom, reinterpret_cast<long>(&random), sizeof(random), GRND_NONBLOCK);
    // Without random numbers so early in the machine's life, at least each process has its own.
    return {true,
            random != 0 ? random : static_cast<uint64_t>(pid) << 8 | static_cast<uint8_t>(index)};
}

uint32_t next_extent_size(const TraceFile& file, uint32_t least) {
    // An eighth of the file so far: few extents in a long trace, little waste in a short one.
    uint64_t size = kFirstExtent;
    while (size < file.header->chunks_end / 8 && size < kLargestExtent) size *= 2;
    while (size < least) size *= 2;
    return static_cast<uint32_t>(size);
}

}  // namespace

int create_trace_file(TraceFile& file, const Config& config, const char* program, int pid) {
    memset(&file, 0, sizeof(file));
    file.fd = -1;
    file.current = -1;
    file.max_size = config.max_size;
    if (config.ring != 0) {
        constexpr uint64_t kSmallestChunk = 16u << 10;
        file.finished_capacity = config.ring / kSmallestChunk + 1;
        file.finished = static_cast<FinishedChunk*>(
            raw::map(file.finished_capacity * sizeof(FinishedChunk), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
        if (!file.finished) return ENOMEM;
        file.ring_size = config.ring;
    }
    file.may_call_kernel = true;
    if (config.out[0] == 0) return ENAMETOOLONG;
    int fd = -EEXIST;
    for (int index = 0; index < kNameTries && (fd == -EEXIST || fd == -ELOOP); index++) {
        if (!expand_path(config, program, pid, name_try(index, pid), file.path,
                         sizeof(file.path))) {
            return ENAMETOOLONG;
        }
        file.name_tries = index + 1;
        fd = raw::open(file.path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    if (fd < 0) return -fd;
    struct stat info;
    if (!stat_descriptor(fd, info)) {
        raw::close(fd);
        return EIO;
    }
    file.device = info.st_dev;
    file.inode = info.st_ino;
    file.fd = move_high(fd);
    void* page = nullptr;
    const bool reserved = reserve_blocks(file, 0, trace::kHeaderSize);
    if (reserved) {
        page = raw::map(trace::kHeaderSize, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, 0);
    }
    if (!page) {
        raw::call(SYS_unlink, reinterpret_cast<long>(file.path));
        raw::close(file.fd);
        file.fd = -1;
        return reserved ? ENOMEM : ENOSPC;
    }
    file.reserved_end = trace::kHeaderSize;
    file.header = static_cast<trace::TraceHeader*>(page);
    file.header->version = trace::kTraceVersion;
    file.header->byte_order = trace::kByteOrderMark;
    file.header->header_size = trace::kHeaderSize;
    file.header->chunks_end = trace::kHeaderSize;
    file.header->ring_size = file.ring_size;
    memcpy(file.header->magic, trace::kTraceMagic, sizeof(trace::kTraceMagic));
    return 0;
}

Chunk take_chunk(TraceFile& file, uint32_t size, trace::Loss& refusal) {
    const auto has_room = [&] {
        if (file.current < 0) return false;
        const Extent& extent = file.extents[file.current];
        return file.header->chunks_end + size <= extent.offset + extent.size;
    };
    if (!has_room()) {
        refusal = grow(file, next_extent_size(file, size), size);
        if (refusal != trace::Loss::kCount) return {};
    }
    Extent& extent = file.extents[file.current];
    uint8_t* base = extent.base + (file.header->chunks_end - extent.offset);
    fill_ahead(file, base, file.header->chunks_end, size);
    auto* header = reinterpret_cast<trace::ChunkHeader*>(base);
    header->size = size;
    header->order = file.chunk_order++;
    extent.live_chunks++;
    file.header->chunks_end += size;
    return {header, file.current};
}

void finish_chunk(TraceFile& file, int index) {
    Extent& extent = file.extents[index];
    if (--extent.live_chunks == 0 && index != file.current && file.may_call_kernel) {
        unmap_extent(extent);
    }
}

Chunk take_event_chunk(TraceFile& file, uint32_t size, trace::Loss& refusal) {
    if (file.ring_size == 0) return take_chunk(file, size, refusal);
    if (file.ring_used + size > file.ring_size && file.finished_count != 0) {
        const FinishedChunk oldest = file.finished[file.finished_begin];
        file.finished_begin = (file.finished_begin + 1) % file.finished_capacity;
        file.finished_count--;
        trace::ChunkHeader& header = *oldest.header;
        const uint32_t old_size = header.size;
        if (header.last_ticks > file.header->cut_ticks) file.header->cut_ticks = header.last_ticks;
        file.header->cut_chunks++;
        std::atomic_ref(header.magic).store(0, std::memory_order_release);
        header = trace::ChunkHeader{};
        header.size = old_size;
        header.order = file.chunk_order++;
        return {&header, oldest.extent};
    }
    const Chunk taken = take_chunk(file, size, refusal);
    if (taken.header) file.ring_used += size;
    return taken;
}

void finish_event_chunk(TraceFile& file, const Chunk& chunk, uint64_t last_ticks) {
    if (file.ring_size == 0 || file.finished_count == file.finished_capacity) {
        finish_chunk(file, chunk.extent);
        return;
    }
    // It stays mapped until the ring comes round to it.
    chunk.header->last_ticks = last_ticks;
    const uint64_t end = (file.finished_begin + file.finished_count) % file.finished_capacity;
    file.finished[end] = {chunk.header, chunk.extent};
    file.finished_count++;
}

void trim_trace_file(TraceFile& file) {
    if (!file.may_call_kernel || !have_descriptor(file)) return;
    // The rest of the current extent stays mapped but must not be used again.
    const uint64_t end = file.header->chunks_end;
    if (file.current >= 0 && file.extents[file.current].live_chunks == 0) {
        unmap_extent(file.extents[file.current]);
    }
    file.current = -1;
    if (!raw::failed(raw::call(SYS_ftruncate, file.fd, static_cast<long>(end)))) {
        file.reserved_end = end;
    }
}

void reserve_ahead(TraceFile& file, uint32_t size) {
    if (file.current >= 0) {
        const Extent& extent = file.extents[file.current];
        if (file.header->chunks_end + size <= extent.offset + extent.size) return;
    }
    grow(file, size, kFirstExtent);
}

void forget_trace_file(TraceFile& file) {
    memset(&file, 0, sizeof(file));
    file.fd = -1;
    file.current = -1;
}

void abandon_trace_file(TraceFile& file, bool in_use) {
    const auto drop = [in_use](void* base, size_t size) {
        if (in_use) {
            raw::call(SYS_mmap, reinterpret_cast<long>(base), static_cast<long>(size),
                      PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        } else {
            raw::unmap(base, size);
        }
    };
    for (Extent& extent : file.extents) {
        if (extent.base) drop(extent.base, extent.size);
    }
    if (file.header) drop(file.header, trace::kHeaderSize);
    if (is_our_file(file, file.fd)) raw::close(file.fd);
    if (file.finished) raw::unmap(file.finished, file.finished_capacity * sizeof(FinishedChunk));
    forget_trace_file(file);
}

}  // namespace lastref
