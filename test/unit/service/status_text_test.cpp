// The status for people.
#include "service/status_text.hpp"
#include "support/catch.hpp"

#include <stdexcept>
#include <string>

using trackd::service::status_text;

namespace {

std::string page(const std::string& refused, const std::string& sink) {
    return R"({"stage":"running","version":"1.2.3","uptime_seconds":93784,
        "configuration":{"generation":2,"since":"2026-11-21T08:00:00Z","changed":["log.level","keys.web"],"refused":)" +
           refused + R"(},
        "connections":{"ingest":4,"admin":1},"http":{"requests":70,"rejected":3},
        "tracker":{"accepted":12,"refused":1,"pending_events":2},
        "journal":{"condition":"good","bytes":1048576,"max_bytes":8589934592,"last_error":""},
        "sinks":[{"name":"a","kind":"sqlite","delivered":10,"pending":2,"filtered":0,"dead_letters_kept":1,"lost":0,
                  "damaged":1,"skipped":2,"lag_seconds":65)" +
           sink + "}]}";
}

const std::string works = R"(,"failing":false,"failing_seconds":0,"last_error":"")";

} // namespace

TEST_CASE("the status is a few lines and a table of the sinks", "[service][status]") {
    CHECK(
        status_text(page("null", works)) ==
        "trackd 1.2.3  running for 1d 2h\n"
        "configuration  2, since 2026-11-21T08:00:00Z; changed: log.level, keys.web\n"
        "events         12 accepted, 1 refused, 2 wait in memory\n"
        "journal        good, 1MiB of 8GiB\n"
        "http           4 connections, 70 requests, 3 rejected\n"
        "\n"
        "SINK  KIND    DELIVERED  PENDING    LAG  FILTERED  DEAD LETTERS  LOST  STATE\n"
        "a     sqlite         10        2  1m 5s         0             1     3  works\n"
    );
}

TEST_CASE("what is wrong is said, and nothing in it reaches the terminal as it came", "[service][status]") {
    const auto said = status_text(page(
        R"({"at":"2026-11-21T09:00:00Z","wrong":["x: bad","y: bad"]})",
        R"(,"failing":true,"failing_seconds":3,"last_error":"no \u001b[31m")"
    ));
    CHECK(
        said.find("another one was refused at 2026-11-21T09:00:00Z:\n               x: bad\n") != said.npos
    );
    CHECK(said.find(R"(failing for 3s: "no \u001b[31m")") != said.npos);
}

TEST_CASE("a sink that is paused is shown as such", "[service][status]") {
    const auto said = status_text(page("null", works + R"(,"paused":true,"paused_seconds":125)"));
    CHECK(said.find("  paused for 2m 5s\n") != said.npos);
}

TEST_CASE("an answer of something else is refused", "[service][status]") {
    for (const auto* other : {"", "[]", "{}", R"({"stage":"running"})"})
        CHECK_THROWS_AS(status_text(other), std::runtime_error);
}
