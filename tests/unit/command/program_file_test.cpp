#include "command/program_file.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/catch.h"
#include "support/temporary_folder.h"

using namespace lastref;
using namespace lastref::testing;
namespace fs = std::filesystem;

namespace {

struct Folder : TemporaryFolder {
    std::string file(const std::string& name, const std::string& content, mode_t mode = 0755) {
        std::ofstream(path / name) << content;
        chmod((path / name).c_str(), mode);
        return path / name;
    }
};

bool mentions(const std::string& reason, const std::string& word) {
    return reason.find(word) != std::string::npos;
}

}  // namespace

TEST_CASE("programs are found as a shell finds them") {
    Folder folder;
    std::string program = folder.file("tool", "#!/bin/sh\n");
    std::string data = folder.file("data", "", 0644);
    std::string old_path = getenv("PATH");
    setenv("PATH", ("/nonexistent:" + folder.path.string()).c_str(), 1);
    CHECK(find_program("tool") == program);
    CHECK(find_program("data") == data);  // there, though not executable
    CHECK_FALSE(find_program("absent"));
    CHECK(find_program("./absent") == "./absent");
    setenv("PATH", old_path.c_str(), 1);
}

TEST_CASE("ordinary programs and scripts can be traced") {
    Folder folder;
    CHECK(why_not_traceable("/bin/sh") == "");
    CHECK(why_not_traceable(folder.file("script", "#! /bin/sh -e\n")) == "");
    CHECK(why_not_traceable(folder.file("script2", "#!" + folder.path.string() + "/script\n")) ==
          "");
}

TEST_CASE("what can't be traced is refused with the reason") {
    Folder folder;
    CHECK(mentions(why_not_traceable(folder.path / "absent"), "No such file"));
    CHECK(mentions(why_not_traceable(folder.path), "directory"));
    CHECK(mentions(why_not_traceable(folder.file("a", "x", 0644)), "not executable"));
    CHECK(mentions(why_not_traceable(folder.file("b", "")), "empty"));
    CHECK(mentions(why_not_traceable(folder.file("c", "echo\n")), "neither an ELF"));
    CHECK(mentions(why_not_traceable(folder.file("d", "\177ELF")), "truncated"));
    CHECK(mentions(why_not_traceable(folder.file("e", "#!\n")), "no interpreter"));
    CHECK(mentions(why_not_traceable(folder.file("f", "#!/no/such\n")), "No such file"));
    CHECK(mentions(why_not_traceable(folder.file("g", "#!" + folder.path.string() + "/g\n")),
                   "too many times"));
    std::string set_uid = folder.file("h", "#!/bin/sh\n");
    chmod(set_uid.c_str(), 04755);
    CHECK(mentions(why_not_traceable(set_uid), "set-uid"));
    CHECK(mentions(why_not_traceable(folder.file("i", "#!" + set_uid + "\n")), "set-uid"));
    chmod(set_uid.c_str(), 02755);
    CHECK(mentions(why_not_traceable(set_uid), "set-gid"));
}
