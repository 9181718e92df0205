#include "support/catch.hpp"
#include "tracker/batch_splitter.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <vector>

using trackd::batch_splitter;

namespace {

/// Plays a sink that refuses every write with one of `bad` in it, until `events` are dealt with.
/// @return the culprits found, and how many writes it took
std::pair<std::set<std::size_t>, std::size_t> isolate(std::size_t events, const std::set<std::size_t>& bad) {
    batch_splitter splitter;
    std::set<std::size_t> found;
    std::size_t writes = 0;
    for (std::size_t at = 0; at < events; ++writes) {
        REQUIRE(splitter.limit() >= 1);
        const auto given = std::min(splitter.limit(), events - at);
        const auto culprit = bad.lower_bound(at);
        if (culprit == bad.end() || *culprit >= at + given) {
            splitter.passed(given);
            at += given;
        } else if (given > 1) {
            splitter.split(given);
        } else {
            splitter.start_small();
            found.insert(at++);
        }
    }
    return {found, writes};
}

} // namespace

TEST_CASE("a sink that refuses nothing gets all at once", "[splitter]") {
    CHECK(isolate(10'000, {}).second == 1);
}

TEST_CASE("one bad event among ten thousand is found in a few dozen writes", "[splitter]") {
    for (const std::size_t bad : {0U, 1U, 4'999U, 5'000U, 7'777U, 9'999U}) {
        CAPTURE(bad);
        const auto [found, writes] = isolate(10'000, {bad});
        CHECK(found == std::set{bad});
        CHECK(writes <= 45);
    }
}

TEST_CASE("when all events are bad, each costs one write", "[splitter]") {
    std::set<std::size_t> all;
    for (std::size_t i = 0; i < 2'000; ++i)
        all.insert(i);
    const auto [found, writes] = isolate(2'000, all);
    CHECK(found == all);
    CHECK(writes <= 2'000 + 12);
}

TEST_CASE("bad events anywhere are found, and no others", "[splitter]") {
    std::mt19937 random{42};
    for (int round = 0; round < 200; ++round) {
        const auto events = std::uniform_int_distribution<std::size_t>{1, 3'000}(random);
        const auto count = std::uniform_int_distribution<std::size_t>{0, 20}(random);
        std::set<std::size_t> bad;
        for (std::size_t i = 0; i < count; ++i)
            bad.insert(std::uniform_int_distribution<std::size_t>{0, events - 1}(random));
        const auto [found, writes] = isolate(events, bad);
        CHECK(found == bad);
        CHECK(writes <= 1 + 45 * bad.size());
    }
}

TEST_CASE("a sink that takes only few at once is given few, without a culprit", "[splitter]") {
    batch_splitter splitter;
    std::size_t taken = 0;
    std::size_t writes = 0;
    for (; taken < 10'000; ++writes) {
        const auto given = std::min<std::size_t>(splitter.limit(), 10'000 - taken);
        if (given > 100) {
            splitter.split(given);
        } else {
            splitter.passed(given);
            taken += given;
        }
    }
    CHECK(writes < 600);
}
