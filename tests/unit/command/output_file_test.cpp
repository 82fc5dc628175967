#include "command/output_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/catch.h"
#include "support/temporary_folder.h"

using lastref::write_output;
namespace fs = std::filesystem;

TEST_CASE("output replaces a file as a whole") {
    lastref::testing::TemporaryFolder folder;
    fs::path path = folder.path / "report.txt";
    CHECK(write_output(path, "first, and long") == "");
    CHECK(write_output(path, "second") == "");
    std::ifstream file(path);
    CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == "second");
    CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);  // no temporary is left

    mode_t mask = umask(0);
    umask(mask);
    struct stat status;
    REQUIRE(stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == (0666 & ~mask));
}

TEST_CASE("output that can't be written is named") {
    std::string reason = write_output("/nonexistent/report.txt", "text");
    CHECK(reason.starts_with("/nonexistent/report.txt: "));
    CHECK(reason.find("No such file") != std::string::npos);
    CHECK(write_output("/dev/full", "text").find("No space") != std::string::npos);
    CHECK(write_output("/dev/null", "text") == "");
}
