// Catch2 2.13 (Debian 12) and 3 alike.
#ifndef LASTREF_TESTS_SUPPORT_CATCH_H
#define LASTREF_TESTS_SUPPORT_CATCH_H

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#endif  // LASTREF_TESTS_SUPPORT_CATCH_H
