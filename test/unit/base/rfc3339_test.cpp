#include "base/rfc3339.hpp"
#include "support/catch.hpp"

#include <array>
#include <chrono>
#include <random>

using namespace std::chrono_literals;
using trackd::wall_time;
using trackd::base::append_rfc3339;
using trackd::base::parse_rfc3339;

namespace {

wall_time
at(int year, unsigned month, unsigned day,
   std::chrono::microseconds time_of_day = std::chrono::microseconds{0}) {
    return std::chrono::sys_days{std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day)} +
           time_of_day;
}

std::string written(wall_time time) {
    std::string text;
    append_rfc3339(text, time);
    return text;
}

} // namespace

TEST_CASE("a time in UTC is read to the microsecond", "[base][rfc3339]") {
    CHECK(parse_rfc3339("2026-11-21T08:15:30Z") == at(2026, 11, 21, 8h + 15min + 30s));
    CHECK(parse_rfc3339("2026-11-21T08:15:30.5Z") == at(2026, 11, 21, 8h + 15min + 30s + 500ms));
    CHECK(parse_rfc3339("2026-11-21T08:15:30.000250Z") == at(2026, 11, 21, 8h + 15min + 30s + 250us));
    CHECK(parse_rfc3339("1969-12-31T23:59:59.999999Z") == wall_time{-1us});
}

TEST_CASE("fraction digits beyond the sixth are read and dropped", "[base][rfc3339]") {
    CHECK(parse_rfc3339("2026-11-21T00:00:00.123456789Z") == at(2026, 11, 21, 123456us));
    CHECK(parse_rfc3339("2026-11-21T00:00:00." + std::string(1000, '9') + "Z") == at(2026, 11, 21, 999999us));
}

TEST_CASE("an offset is taken off", "[base][rfc3339]") {
    CHECK(parse_rfc3339("1996-12-19T16:39:57-08:00") == at(1996, 12, 20, 39min + 57s));
    CHECK(parse_rfc3339("1937-01-01T12:00:27.87+00:20") == at(1937, 1, 1, 11h + 40min + 27s + 870ms));
    CHECK(parse_rfc3339("2026-01-01T00:30:00+05:45") == at(2025, 12, 31, 18h + 45min));
    CHECK(parse_rfc3339("2026-01-01T00:00:00-00:00") == at(2026, 1, 1));
}

TEST_CASE("the letters may be small", "[base][rfc3339]") {
    CHECK(parse_rfc3339("2026-11-21t08:15:30z") == at(2026, 11, 21, 8h + 15min + 30s));
}

TEST_CASE("a leap second is the first moment of the next minute", "[base][rfc3339]") {
    CHECK(parse_rfc3339("1990-12-31T23:59:60Z") == at(1991, 1, 1));
    CHECK(parse_rfc3339("1990-12-31T23:59:60.75Z") == at(1991, 1, 1));
    CHECK(parse_rfc3339("1990-12-31T15:59:60-08:00") == at(1991, 1, 1));
}

TEST_CASE("days that do not exist are refused", "[base][rfc3339]") {
    CHECK(parse_rfc3339("2024-02-29T00:00:00Z"));
    CHECK(parse_rfc3339("2000-02-29T00:00:00Z"));
    CHECK_FALSE(parse_rfc3339("2026-02-29T00:00:00Z"));
    CHECK_FALSE(parse_rfc3339("1900-02-29T00:00:00Z"));
    CHECK_FALSE(parse_rfc3339("2026-04-31T00:00:00Z"));
    CHECK_FALSE(parse_rfc3339("2026-00-01T00:00:00Z"));
    CHECK_FALSE(parse_rfc3339("2026-13-01T00:00:00Z"));
    CHECK_FALSE(parse_rfc3339("2026-01-00T00:00:00Z"));
}

TEST_CASE("what is no date-time is refused", "[base][rfc3339]") {
    const std::array<std::string_view, 22> wrong{
        "",
        "now",
        "2026-11-21",
        "2026-11-21T08:15:30",
        "2026-11-21 08:15:30Z",
        "2026-11-21T08:15Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T08:60:00Z",
        "2026-11-21T08:15:61Z",
        "2026-11-21T08:15:30.Z",
        "2026-11-21T08:15:30,5Z",
        "2026-11-21T08:15:30+0800",
        "2026-11-21T08:15:30+08",
        "2026-11-21T08:15:30+24:00",
        "2026-11-21T08:15:30+08:60",
        "2026-11-21T08:15:30Z ",
        " 2026-11-21T08:15:30Z",
        "26-11-21T08:15:30Z",
        "+026-11-21T08:15:30Z",
        "2026-1-21T08:15:30Z",
        "2026-11-21T08:15:30ZZ",
        "2026-11-21T08:15:-1Z",
    };
    for (const auto text : wrong) {
        INFO(text);
        CHECK_FALSE(parse_rfc3339(text));
    }
}

TEST_CASE("every truncation of a date-time is refused", "[base][rfc3339]") {
    const std::string_view text = "2026-11-21T08:15:30.25+01:00";
    REQUIRE(parse_rfc3339(text));
    for (std::size_t length = 0; length < text.size(); ++length)
        CHECK_FALSE(parse_rfc3339(text.substr(0, length)));
}

TEST_CASE("an offset cannot lead out of the years 0 to 9999", "[base][rfc3339]") {
    CHECK(parse_rfc3339("0000-01-01T00:00:00Z"));
    CHECK(parse_rfc3339("9999-12-31T23:59:59.999999Z"));
    CHECK_FALSE(parse_rfc3339("0000-01-01T00:00:00+00:01"));
    CHECK_FALSE(parse_rfc3339("9999-12-31T23:59:59-00:01"));
    CHECK_FALSE(parse_rfc3339("9999-12-31T23:59:60Z"));
}

TEST_CASE("a time is written in UTC with six digits", "[base][rfc3339]") {
    CHECK(written(at(2026, 11, 21, 8h + 15min + 30s + 250us)) == "2026-11-21T08:15:30.000250Z");
    CHECK(written(wall_time{}) == "1970-01-01T00:00:00.000000Z");
    CHECK(written(wall_time{-1us}) == "1969-12-31T23:59:59.999999Z");
    CHECK(written(at(0, 1, 1)) == "0000-01-01T00:00:00.000000Z");
    CHECK(written(at(9999, 12, 31, 23h + 59min + 59s)) == "9999-12-31T23:59:59.000000Z");
}

TEST_CASE("what is written is appended", "[base][rfc3339]") {
    std::string text = "at ";
    append_rfc3339(text, wall_time{});
    CHECK(text == "at 1970-01-01T00:00:00.000000Z");
}

TEST_CASE("any time that is written reads back the same", "[base][rfc3339]") {
    std::mt19937_64 random{20261121};
    const auto first = at(0, 1, 1).time_since_epoch().count();
    const auto last = at(9999, 12, 31).time_since_epoch().count();
    std::uniform_int_distribution<std::int64_t> pick{first, last};
    for (int i = 0; i < 10'000; ++i) {
        const wall_time time{std::chrono::microseconds{pick(random)}};
        REQUIRE(parse_rfc3339(written(time)) == time);
    }
}
