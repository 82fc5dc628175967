#include "symbols/perf_map.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "support/catch.h"

using lastref::PerfMap;

TEST_CASE("a perf map names code by its range") {
    PerfMap map;
    map.read("7f0000001000 20 Lcom/game/Server;::encode\n0x7f0000001020 0x10 two words \n");
    CHECK(map.find(0x7f0000000fff) == "");
    CHECK(map.find(0x7f0000001000) == "Lcom/game/Server;::encode");
    CHECK(map.find(0x7f000000101f) == "Lcom/game/Server;::encode");
    CHECK(map.find(0x7f0000001020) == "two words ");
    CHECK(map.find(0x7f0000001030) == "");
}

TEST_CASE("a later line of a perf map wins") {
    PerfMap map;
    map.read("1000 100 old\n1040 20 new\n");
    CHECK(map.find(0x103f) == "old");
    CHECK(map.find(0x1040) == "new");
    CHECK(map.find(0x105f) == "new");
    CHECK(map.find(0x1060) == "old");
    map.read("ff0 100 newest\n");
    CHECK(map.find(0x1050) == "newest");
    CHECK(map.find(0x10f0) == "old");
    CHECK(map.find(0x1100) == "");
    map.read("1000 100 last\n1000 100 very last\n");
    CHECK(map.find(0x1000) == "very last");
    CHECK(map.find(0xff0) == "newest");
}

TEST_CASE("lines of a perf map that make no sense are skipped") {
    PerfMap map;
    map.read("\n\nxyz\n10 20\n10  20 a\n-1 5 b\n10 0 c\nffffffffffffffff 5 d\n");
    map.read("11111111111111111111 1 too long\n100 10 good\n200 10 cut");
    CHECK(map.find(0x10) == "");
    CHECK(map.find(0xffffffffffffffff) == "");
    CHECK(map.find(0x100) == "good");
    CHECK(map.find(0x200) == "");
}

TEST_CASE("the perf map of a process is read from /tmp, but never through a link") {
    // Ids above the kernel's largest (4194304): no process has them.
    std::string path = "/tmp/perf-1900000001.map";
    std::ofstream(path) << "1000 10 jitted\n";
    CHECK(PerfMap::of_process(1900000001).find(0x1000) == "jitted");
    std::string link = "/tmp/perf-1900000002.map";
    REQUIRE(symlink(path.c_str(), link.c_str()) == 0);
    CHECK(PerfMap::of_process(1900000002).find(0x1000) == "");
    unlink(link.c_str());
    unlink(path.c_str());
    REQUIRE(mkfifo(path.c_str(), 0600) == 0);
    CHECK(PerfMap::of_process(1900000001).find(0x1000) == "");
    unlink(path.c_str());
    CHECK(PerfMap::of_process(0).find(0x1000) == "");
}
