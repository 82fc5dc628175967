// A folder of a test's own, gone with all that is in it when the test ends.
#ifndef LASTREF_TESTS_SUPPORT_TEMPORARY_FOLDER_H
#define LASTREF_TESTS_SUPPORT_TEMPORARY_FOLDER_H

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace lastref::testing {

struct TemporaryFolder {
    TemporaryFolder() {
        std::string name = std::filesystem::temp_directory_path() / "lastref-unit-XXXXXX";
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path = name;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() { std::filesystem::remove_all(path); }

    std::filesystem::path path;
};

}  // namespace lastref::testing

#endif  // LASTREF_TESTS_SUPPORT_TEMPORARY_FOLDER_H
