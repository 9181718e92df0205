// Durations and sizes as people write them.
#include "config/units.hpp"
#include "support/catch.hpp"

#include <limits>

using namespace std::chrono_literals;
using namespace trackd::config;

TEST_CASE("a duration is a number and a unit", "[config]") {
    CHECK(parse_duration("500ms") == 500ms);
    CHECK(parse_duration("5s") == 5s);
    CHECK(parse_duration("2m") == 2min);
    CHECK(parse_duration("24h") == 24h);
    CHECK(parse_duration("1d") == 24h);
    CHECK(parse_duration("0") == 0ms);
    CHECK(parse_duration("0s") == 0ms);
}

TEST_CASE("what has no unit, or a wrong one, or no whole number is no duration", "[config]") {
    for (const auto* text :
         {"", "5", "s", "5 s", "5S", "5us", "-5s", "+5s", "1.5s", "5s ", " 5s", "1h30m", "0x5s"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_duration(text));
    }
}

TEST_CASE("a duration too long to count becomes the longest", "[config]") {
    CHECK(parse_duration("99999999999999999999999d") == std::chrono::milliseconds::max());
    CHECK(parse_duration("9223372036854775807d") == std::chrono::milliseconds::max());
    CHECK(parse_duration("9223372036854775807ms") == std::chrono::milliseconds::max());
}

TEST_CASE("a size is a number of bytes, or a number and a unit", "[config]") {
    CHECK(parse_size("0") == 0U);
    CHECK(parse_size("123") == 123U);
    CHECK(parse_size("123B") == 123U);
    CHECK(parse_size("10KiB") == 10240U);
    CHECK(parse_size("64MiB") == 64U << 20);
    CHECK(parse_size("1GiB") == 1U << 30);
    CHECK(parse_size("1MB") == 1'000'000U);
    CHECK(parse_size("2TB") == 2'000'000'000'000U);
}

TEST_CASE("what has a wrong unit or no whole number is no size", "[config]") {
    for (const auto* text : {"", "MiB", "1 MiB", "1mib", "1M", "-1", "1.5MiB", "1MiB ", "1e6", "1_000"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_size(text));
    }
}

TEST_CASE("a size too large to count becomes the largest", "[config]") {
    CHECK(parse_size("99999999999999999999999") == std::numeric_limits<std::size_t>::max());
    CHECK(parse_size("18446744073709551615TiB") == std::numeric_limits<std::size_t>::max());
}

TEST_CASE("durations and sizes are written in the largest unit that fits", "[config]") {
    CHECK(format(0ms) == "0s");
    CHECK(format(1500ms) == "1500ms");
    CHECK(format(90s) == "90s");
    CHECK(format(120s) == "2m");
    CHECK(format(48h) == "2d");
    CHECK(format_size(0) == "0");
    CHECK(format_size(1000) == "1000");
    CHECK(format_size(4096) == "4KiB");
    CHECK(format_size(3U << 30) == "3GiB");
}
