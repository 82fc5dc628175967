#include "command/run_arguments.h"

#include "support/catch.h"

using lastref::RunArguments;
using lastref::split_run_arguments;
using Words = std::vector<std::string>;

TEST_CASE("run's own options end at the program") {
    RunArguments split =
        split_run_arguments({"--level", "simple", "-o", "a", "ls", "-o", "--help"});
    CHECK(split.own == Words{"--level", "simple", "-o", "a"});
    CHECK(split.command == Words{"ls", "-o", "--help"});
}

TEST_CASE("two dashes end run's own options too") {
    RunArguments split = split_run_arguments({"--unpooled", "--", "-odd", "--", "x"});
    CHECK(split.own == Words{"--unpooled"});
    CHECK(split.command == Words{"-odd", "--", "x"});
}

TEST_CASE("options may carry their value with them") {
    RunArguments split = split_run_arguments({"--level=simple", "-oa.trace", "ls"});
    CHECK(split.own == Words{"--level=simple", "-oa.trace"});
    CHECK(split.command == Words{"ls"});
}

TEST_CASE("a missing program or value is left to the parser to name") {
    CHECK(split_run_arguments({}).command.empty());
    CHECK(split_run_arguments({"--level"}).own == Words{"--level"});
    CHECK(split_run_arguments({"--help"}).own == Words{"--help"});
    CHECK(split_run_arguments({"--"}).command.empty());
}
