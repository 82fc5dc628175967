#include "symbols/debuginfod.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>

namespace lastref {
namespace {

// As in elfutils/debuginfod.h, whose package is not needed to build lastref.
struct Client {
    using Begin = void* (*)();
    using End = void (*)(void*);
    using Find = int (*)(void*, const unsigned char* build_id, int length, char** path);

    Client() {
        const char* const urls = std::getenv("DEBUGINFOD_URLS");
        if (urls == nullptr || *urls == '\0') return;
        library = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) return;
        const auto begin = reinterpret_cast<Begin>(dlsym(library, "debuginfod_begin"));
        end = reinterpret_cast<End>(dlsym(library, "debuginfod_end"));
        find_debuginfo = reinterpret_cast<Find>(dlsym(library, "debuginfod_find_debuginfo"));
        find_executable = reinterpret_cast<Find>(dlsym(library, "debuginfod_find_executable"));
        if (begin && end && find_debuginfo && find_executable) client = begin();
    }
    ~Client() {
        if (client != nullptr) end(client);
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Length 0: the build-id is in hexadecimal.
    std::string find(Find look, const std::string& build_id) {
        char* found = nullptr;
        const int descriptor =
            look(client, reinterpret_cast<const unsigned char*>(build_id.c_str()), 0, &found);
        if (descriptor < 0) return {};
        close(descriptor);
        const std::string path = found == nullptr ? "" : found;
        std::free(found);
        return path;
    }

    void* library = nullptr;
    void* client = nullptr;
    End end = nullptr;
    Find find_debuginfo = nullptr, find_executable = nullptr;
};

}  // namespace

std::string fetch_debug_file(const std::string& build_id) {
    static std::mutex mutex;  // a client serves one caller at a time
    const std::lock_guard lock(mutex);
    static Client client;
    if (client.client == nullptr || build_id.empty()) return {};
    std::string path = client.find(client.find_debuginfo, build_id);
    return path.empty() ? client.find(client.find_executable, build_id) : path;
}

}  // namespace lastref
