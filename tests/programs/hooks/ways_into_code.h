// Jumps into bytes that a hook would replace, for the relocation check (relocation.cpp).
#ifndef LASTREF_TESTS_WAYS_INTO_CODE_H
#define LASTREF_TESTS_WAYS_INTO_CODE_H

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "hook_decoder.h"
#include "laid_out_library.h"

// Addresses in memory, and whose they are.
using ReplacedBytes = std::unordered_map<uint64_t, size_t>;

// Decodes all code of the library: no direct jump or call may lead to one of these, and no function
// may begin there.
void find_ways_into(const ReplacedBytes& replaced, const Library& library,
                    const std::function<void(size_t, const std::string&)>& found);

#endif  // LASTREF_TESTS_WAYS_INTO_CODE_H
