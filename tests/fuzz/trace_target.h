// The target of both the fuzzer and the replay: reader, merge, lifecycles, findings.
#ifndef LASTREF_TESTS_FUZZ_TRACE_TARGET_H
#define LASTREF_TESTS_FUZZ_TRACE_TARGET_H

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

#endif  // LASTREF_TESTS_FUZZ_TRACE_TARGET_H
