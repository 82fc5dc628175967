// A plug-in in C++ for a program in plain C: operator new lives in a libstdc++ that only this
// library's own scope holds (local_plugin).
//
// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <stdexcept>
#include <string>

extern "C" __attribute__((visibility("default"))) int plugin_work() {
    std::map<int, std::string> texts;
    for (int i = 0; i < 100; i++) texts[i] = std::string(6400, 'x');
    int caught = 0;
    try {
        (void)texts.at(1000);
    } catch (const std::out_of_range&) {
        caught = 1;
    }
    auto* aligned = static_cast<char*>(operator new (6402, std::align_val_t{128}));
    __asm__ volatile("" : "+r"(aligned));
    operator delete (aligned, std::align_val_t{128});
    return static_cast<int>(texts.size()) + caught;
}
