// What was pending when a process began, and when a sink has caught up with it.
#include "support/catch.hpp"
#include "support/manual_clock.hpp"
#include "tracker/start_backlog.hpp"
#include "tracker/start_report.hpp"

using namespace trackd;
using namespace std::chrono_literals;

namespace {

const clock::time_point start{1h};

} // namespace

TEST_CASE("a sink with nothing pending has caught up from the beginning", "[tracker][start]") {
    const cursor at_end{.start = 1, .at = 6};
    start_backlog backlog{at_end, 6, 0, false, start};
    CHECK(backlog.status() == pending_at_start{.events = 0, .at_most = false, .caught_up = true});
    CHECK(!backlog.reached({.start = 1, .at = 9}, start + 1s));
}

TEST_CASE("a sink catches up once, when it is past the last event that was pending", "[tracker][start]") {
    start_backlog backlog{{.start = 1, .at = 3, .filtered = 1}, 6, 3, true, start};
    CHECK(!backlog.reached({.start = 1, .at = 5, .filtered = 2}, start + 1s));
    CHECK(!backlog.status().caught_up);
    const auto event = backlog.reached({.start = 1, .at = 8, .filtered = 2, .dead_lettered = 1}, start + 2s);
    REQUIRE(event);
    CHECK(backlog.status().caught_up);
    CHECK(
        describe(*event, "a") ==
        "sink a: caught up with what was pending at the start, at most 3 events, after 2.0 s; 1 event not "
        "delivered since the start: dead letters, skipped or damaged"
    );
    CHECK(!backlog.reached({.start = 1, .at = 9}, start + 3s));
}

TEST_CASE("one line says what is pending for each sink", "[tracker][start]") {
    CHECK(
        describe_pending({{"a", {.events = 1}}, {"b", {.events = 0, .at_most = true, .caught_up = true}}}) ==
        "pending at the start: sink a 1 event, sink b 0 events"
    );
    CHECK(
        describe_pending({{"a", {.events = 7}}, {"b", {.events = 5, .at_most = true}}}) ==
        "pending at the start: sink a 7 events, sink b at most 5 events (at most: the route of the sink is "
        "not "
        "applied to them yet)"
    );
}
