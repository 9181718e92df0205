#include "bench/load/histogram.hpp"
#include "support/catch.hpp"

#include <cstdint>

using trackd::bench::histogram;

TEST_CASE("a histogram of nothing says nothing", "[bench][histogram]") {
    const histogram nothing;
    CHECK(nothing.count() == 0);
    CHECK(nothing.percentile(50) == 0);
    CHECK(nothing.max() == 0);
    CHECK(nothing.mean() == 0);
}

TEST_CASE("small values are told exactly", "[bench][histogram]") {
    histogram counted;
    for (std::uint64_t value = 1; value <= 200; ++value)
        counted.add(value);
    CHECK(counted.count() == 200);
    CHECK(counted.percentile(0) == 1);
    CHECK(counted.percentile(50) == 100);
    CHECK(counted.percentile(99) == 198);
    CHECK(counted.percentile(99.9) == 200);
    CHECK(counted.percentile(100) == 200);
    CHECK(counted.max() == 200);
    CHECK(counted.mean() == 100.5);
}

TEST_CASE("every value is told within one percent, and never as less than it is", "[bench][histogram]") {
    for (std::uint64_t value = 1; value < (UINT64_MAX >> 3U); value += value / 3 + 1) {
        histogram counted;
        counted.add(value);
        counted.add(UINT64_MAX);
        INFO(value);
        const auto told = counted.percentile(50);
        REQUIRE(told >= value);
        REQUIRE(told - value <= value / 100);
    }
}

TEST_CASE("values on both sides of a power of two stay apart", "[bench][histogram]") {
    for (unsigned power = 0; power < 64; ++power) {
        histogram counted;
        const auto value = std::uint64_t{1} << power;
        counted.add(value - 1);
        counted.add(value);
        INFO(power);
        REQUIRE(counted.percentile(50) == value - 1);
        REQUIRE(counted.percentile(100) == value);
    }
}

TEST_CASE("no percentile is above the largest value, which is told exactly", "[bench][histogram]") {
    histogram counted;
    counted.add(1'000'003);
    CHECK(counted.percentile(50) == 1'000'003);
    CHECK(counted.max() == 1'000'003);
    counted.add(UINT64_MAX);
    CHECK(counted.percentile(100) == UINT64_MAX);
}

TEST_CASE("a percentile is that of all values, however many each bucket has", "[bench][histogram]") {
    histogram counted;
    for (int i = 0; i < 989; ++i)
        counted.add(10);
    for (int i = 0; i < 11; ++i)
        counted.add(100);
    CHECK(counted.percentile(98.9) == 10);
    CHECK(counted.percentile(99) == 100);
}
