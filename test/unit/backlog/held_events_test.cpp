// Which sink the journal keeps its oldest events for.
#include "backlog/held_events.hpp"
#include "support/catch.hpp"

using namespace trackd;
using journal::describe;
using journal::find_holders;

TEST_CASE("the sink with the least cursor comes first, configured or not", "[held_events]") {
    const auto holders = find_holders({{"a", {1, 50}}, {"gone", {1, 20}}, {"z", {1, 100}}}, {"a", "z"}, 100);
    REQUIRE(holders.size() == 3);
    CHECK(holders[0].sink == "gone");
    CHECK(holders[0].oldest == 20);
    CHECK(holders[0].events == 80);
    CHECK_FALSE(holders[0].configured);
    CHECK(holders[1].sink == "a");
    CHECK(holders[1].configured);
    CHECK(holders[2].events == 0);
}

TEST_CASE(
    "of two sinks at the same position, the one that is not configured comes first: its cursor never moves",
    "[held_events]"
) {
    const auto holders = find_holders({{"b", {1, 20}}, {"z-gone", {1, 20}}}, {"b"}, 100);
    REQUIRE(holders.size() == 2);
    CHECK(holders[0].sink == "z-gone");
}

TEST_CASE("a cursor beyond the end holds nothing", "[held_events]") {
    CHECK(find_holders({{"a", {1, 200}}}, {"a"}, 100).front().events == 0);
}

TEST_CASE("the description names what lets go of the events", "[held_events]") {
    CHECK(describe({"a", 100, 0, true}, "") == "no sink holds events");
    CHECK(describe({"a", 20, 80, true}, "") == "sink a holds the oldest events, 80 from position 20 on");
    CHECK(
        describe({"a", 20, 80, true}, "connection refused") ==
        "sink a holds the oldest events, 80 from position 20 on; it fails: connection refused"
    );
    CHECK(
        describe({"gone", 20, 80, false}, "") == "sink gone holds the oldest events, 80 from position 20 on; "
                                                 "it is not configured, `trackd sink forget "
                                                 "gone` gives them up"
    );
}
