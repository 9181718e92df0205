// The status for people.
#include "service/status_text.hpp"
#include "support/catch.hpp"

#include <stdexcept>
#include <string>

using trackd::service::status_text;

namespace {

std::string page(const std::string& refused, const std::string& sink, const std::string& keys = "[]") {
    return R"({"stage":"running","version":"1.2.3","uptime_seconds":93784,
        "configuration":{"generation":2,"since":"2026-11-21T08:00:00Z","changed":["log.level","keys.web"],"refused":)" +
           refused + R"(},
        "connections":{"ingest":4,"admin":1},"http":{"requests":70,"rejected":3},
        "tracker":{"accepted":12,"refused":1,"pending_events":2},
        "journal":{"condition":"good","bytes":1048576,"max_bytes":8589934592,"last_error":""},
        "sinks":[{"name":"a","kind":"sqlite","delivered":10,"pending":2,"filtered":0,"dead_letters_kept":1,"lost":0,
                  "damaged":1,"skipped":2,"lag_seconds":65)" +
           sink + "}],\"keys\":" + keys + '}';
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

TEST_CASE("the sink that holds the oldest events is named where the journal is full", "[service][status]") {
    const auto with = [](const std::string& condition, const std::string& configured) {
        auto text = page("null", works);
        const std::string journal = R"("journal":{"condition":"good")";
        return text.replace(
            text.find(journal), journal.size(),
            R"("journal":{"held_by":{"sink":"a","configured":)" + configured +
                R"(,"position":17,"events":80},"condition":")" + condition + '"'
        );
    };
    const std::string named = "\n               sink a holds the oldest events, 80 from position 17 on";
    CHECK(status_text(with("full", "true")).find(named + "\n") != std::string::npos);
    CHECK(status_text(with("good", "true")).find(named) == std::string::npos);
    for (const auto* condition : {"full", "good"})
        CHECK(
            status_text(with(condition, "false"))
                .find(named + "; it is not configured, give them up: trackd sink forget a\n") !=
            std::string::npos
        );
}

TEST_CASE("rejected requests are counted, and the newest are named", "[service][status]") {
    auto text = page("null", works);
    const std::string http = R"("tracker":{)";
    text.replace(
        text.find(http), http.size(),
        R"("rejections":{"total":3,
        "by_reason":[{"status":401,"reason":"unauthorized","count":1},{"status":422,"reason":"invalid_event","count":2}],
        "latest":[{"time":"2026-11-21T09:00:00Z","status":422,"reason":"invalid_event","detail":"no \u001b[31m",
                   "key":"web","method":"POST","path":"/events"},
                  {"time":"2026-11-21T08:00:00Z","status":200,"reason":"no_user","detail":"batch [1]: none",
                   "key":null,"method":null,"path":null,"calls":4}]},)" +
            http
    );
    CHECK(
        status_text(text).find(
            ", 3 rejected\n"
            "rejected       1 of 401 unauthorized, 2 of 422 invalid_event\n"
            R"(               2026-11-21T09:00:00Z 422 invalid_event key="web" method="POST" path="/events": "no \u001b[31m")"
            "\n"
            R"(               2026-11-21T08:00:00Z 200 no_user calls=4: "batch [1]: none")"
            "\n\nSINK"
        ) != std::string::npos
    );
}

TEST_CASE("how the last run ended is said, and what was pending at the start", "[service][status]") {
    const auto with = [](const std::string& run, const std::string& at_start) {
        auto text = page("null", works + R"(,"warning":"gone","at_start":)" + at_start);
        return status_text(text.insert(1, "\"last_run\":" + run + ','));
    };
    const auto killed = with(
        R"({"ended":"killed","torn_bytes":12,"journal_events":7})",
        R"({"pending":5,"at_most":true,"caught_up":true})"
    );
    CHECK(
        killed.find("last run       killed, torn tail: 12 bytes are set aside; the journal held 7 events\n"
                    "               pending at the start: a at most 5 (caught up)\n") != killed.npos
    );
    CHECK(killed.find("\nwarning: sink a: \"gone\"\n") != killed.npos);
    const auto first = with(
        R"({"ended":"first_start","torn_bytes":0,"journal_events":0})",
        R"({"pending":0,"at_most":false,"caught_up":true})"
    );
    CHECK(first.find("last run       none, this is the first start\n") != first.npos);
}

TEST_CASE("a sink that is paused is shown as such", "[service][status]") {
    const auto said = status_text(page("null", works + R"(,"paused":true,"paused_seconds":125)"));
    CHECK(said.find("  paused for 2m 5s\n") != said.npos);
}

TEST_CASE("an answer of something else is refused", "[service][status]") {
    for (const auto* other : {"", "[]", "{}", R"({"stage":"running"})"})
        CHECK_THROWS_AS(status_text(other), std::runtime_error);
}

TEST_CASE("the keys follow, with the uses of each of their hashes", "[service][status]") {
    const auto said = status_text(page("null", works, R"([
        {"name":"web","hashes":[
            {"sha256":"8c1f0a2b","first_used":"2026-11-21T08:00:00Z","last_used":"2026-11-21T09:00:00Z"},
            {"sha256":"77aa11bb","first_used":null,"last_used":null}]},
        {"name":"shop","hashes":[{"sha256":"00112233","first_used":null,"last_used":null}]}])"));
    CHECK(said.ends_with("  works\n"
                         "\n"
                         "KEY   SHA256    FIRST USED            LAST USED\n"
                         "web   8c1f0a2b  2026-11-21T08:00:00Z  2026-11-21T09:00:00Z\n"
                         "      77aa11bb  never                 never\n"
                         "shop  00112233  never                 never\n"));
}
