// main() for Catch2 2.13; Catch2 3 brings its own library for that.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
