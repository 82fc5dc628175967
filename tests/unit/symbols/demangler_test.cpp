#include "symbols/demangler.h"

#include "support/catch.h"

using lastref::Demangler;

TEST_CASE("a name is the one that the source has") {
    Demangler demangler;
    CHECK(demangler.demangle("_ZN6Parser5parseEi") == "Parser::parse(int)");
    CHECK(demangler.demangle("memcpy@@GLIBC_2.14") == "memcpy");
    CHECK(demangler.demangle("main") == "main");
}

TEST_CASE("what compilers made of a function has the function's name") {
    Demangler demangler;
    CHECK(demangler.demangle("_Z5servei.actor") == "serve(int)");
    CHECK(demangler.demangle("_Z5servei.destroy") == "serve(int)");
    CHECK(demangler.demangle("_Z5servei.isra.0.cold") == "serve(int)");
    CHECK(demangler.demangle("parse.constprop.0.isra.3") == "parse");
    CHECK(demangler.demangle("parse.part.12") == "parse");
    CHECK(demangler.demangle("parse.llvm.123456") == "parse");
}

TEST_CASE("dots of the source stay") {
    Demangler demangler;
    CHECK(demangler.demangle("runtime.mallocgc") == "runtime.mallocgc");
    CHECK(demangler.demangle("main.main.func1") == "main.main.func1");
    CHECK(demangler.demangle("runtime.clone") == "runtime.clone");
    CHECK(demangler.demangle("main.cleanup") == "main.cleanup");
    CHECK(demangler.demangle("completed.0") == "completed.0");
    CHECK(demangler.demangle(".hidden") == ".hidden");
}
