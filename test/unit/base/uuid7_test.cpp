#include "base/uuid7.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstdlib>
#include <set>
#include <string>

using namespace std::chrono_literals;
using trackd::wall_time;
using trackd::base::uuid7_generator;

namespace {

const wall_time some_time{1'781'000'000'123'456us};

std::string next(uuid7_generator& generator, wall_time now) {
    const auto text = generator.next(now);
    return {text.data(), text.size()};
}

std::int64_t milliseconds_of(const std::string& id) {
    return std::stoll(id.substr(0, 8) + id.substr(9, 4), nullptr, 16);
}

} // namespace

TEST_CASE("an identifier has the form, version and variant of RFC 9562", "[base][uuid7]") {
    uuid7_generator generator{1};
    for (int i = 0; i < 1000; ++i) {
        const auto id = next(generator, some_time + std::chrono::milliseconds{i});
        REQUIRE(id.size() == 36);
        for (std::size_t at = 0; at < id.size(); ++at) {
            const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
            const std::string_view allowed = dash ? "-" : "0123456789abcdef";
            REQUIRE(allowed.find(id[at]) != std::string_view::npos);
        }
        REQUIRE(id[14] == '7');
        REQUIRE(std::string_view{"89ab"}.find(id[19]) != std::string_view::npos);
    }
}

TEST_CASE("an identifier begins with the milliseconds since 1970", "[base][uuid7]") {
    uuid7_generator generator{2};
    CHECK(milliseconds_of(next(generator, some_time)) == 1'781'000'000'123);
    CHECK(milliseconds_of(next(generator, some_time + 1h)) == 1'781'003'600'123);
}

TEST_CASE("identifiers rise within one millisecond", "[base][uuid7]") {
    uuid7_generator generator{3};
    auto before = next(generator, some_time);
    for (int i = 0; i < 100'000; ++i) {
        auto id = next(generator, some_time);
        REQUIRE(id > before);
        before = std::move(id);
    }
    CHECK(milliseconds_of(before) == 1'781'000'000'123);
}

TEST_CASE("identifiers rise when the clock steps back", "[base][uuid7]") {
    uuid7_generator generator{4};
    auto before = next(generator, some_time);
    for (const auto now : {some_time - 1h, some_time - 2h, some_time - 1h, some_time, some_time + 1ms}) {
        auto id = next(generator, now);
        CHECK(id > before);
        before = std::move(id);
    }
}

// The table `Clock jumps` of docs/reliability.md.
TEST_CASE("a clock that was ahead does not leave its time in later identifiers", "[base][uuid7]") {
    uuid7_generator generator{4};
    const auto before = next(generator, some_time);
    const auto ahead = next(generator, some_time + 24h * 400);
    CHECK(ahead > before);
    auto last = next(generator, some_time + 1min);
    CHECK(milliseconds_of(last) == 1'781'000'060'123);
    CHECK(last > before);
    for (int i = 0; i < 1000; ++i) {
        auto id = next(generator, some_time + 1min);
        REQUIRE(id > last);
        last = std::move(id);
    }
}

TEST_CASE(
    "after a step back of a day identifiers rise, after a larger one they follow the clock", "[base][uuid7]"
) {
    uuid7_generator generator{4};
    const auto before = next(generator, some_time);
    const auto a_day = next(generator, some_time - 24h);
    CHECK(a_day > before);
    CHECK(milliseconds_of(a_day) == 1'781'000'000'123);
    CHECK(milliseconds_of(next(generator, some_time - 24h - 1ms)) == 1'781'000'000'123 - 86'400'001);
}

TEST_CASE("a time before 1970 counts as 1970", "[base][uuid7]") {
    uuid7_generator generator{5};
    CHECK(milliseconds_of(next(generator, wall_time{-1h})) == 0);
}

TEST_CASE("two generators do not repeat each other", "[base][uuid7]") {
    uuid7_generator one;
    uuid7_generator other;
    std::set<std::string> seen;
    for (int i = 0; i < 10'000; ++i) {
        CHECK(seen.insert(next(one, some_time)).second);
        CHECK(seen.insert(next(other, some_time)).second);
    }
}

TEST_CASE("the same seed gives the same identifiers", "[base][uuid7]") {
    uuid7_generator one{6};
    uuid7_generator other{6};
    for (int i = 0; i < 10; ++i)
        CHECK(next(one, some_time) == next(other, some_time));
}
