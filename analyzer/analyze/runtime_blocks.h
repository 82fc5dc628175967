// Memory that the C and C++ runtimes, or an allocator itself, keep for the process' life.
//
// It is live at every program's end and nobody's leak. Called for each distinct creation stack
// of what is live at the end.
#ifndef LASTREF_ANALYZER_ANALYZE_RUNTIME_BLOCKS_H
#define LASTREF_ANALYZER_ANALYZE_RUNTIME_BLOCKS_H

#include <cstdint>
#include <string_view>

#include "analyze/stack_names.h"

namespace lastref {

// A heap block made by the dynamic loader, by a runtime library's start (also within dlopen), or by
// one of the functions of the C library that are known to keep what they allocate.
bool is_runtime_block(uint32_t stack, StackNames& names);

// A heap block that the C library made for itself or for its caller.
bool is_made_by_libc(uint32_t stack, StackNames& names);

// A mapping made by an allocator for the blocks that it hands out, or by the C library.
bool is_allocator_mapping(uint32_t stack, StackNames& names);

// A known allocator's library.
bool is_allocator(std::string_view path);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_RUNTIME_BLOCKS_H
