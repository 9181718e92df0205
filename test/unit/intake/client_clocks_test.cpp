#include "endpoint_fixture.hpp"
#include "intake/client_clocks.hpp"
#include "intake/segment_endpoint.hpp"
#include "support/manual_clock.hpp"

using namespace reading;
using namespace std::chrono_literals;
using trackd::intake::client_clocks;

namespace {

struct clocks_fixture {
    trackd::test::manual_clock time;
    client_clocks clocks{time};
};

constexpr std::uint64_t node = 1;
constexpr std::uint64_t browser = 2;

} // namespace

TEST_CASE_METHOD(clocks_fixture, "a shift below a minute is no error of a clock", "[intake][client_clocks]") {
    time.advance(100h);
    for (const auto shift : {-5s, -1s, 0s, 15s, 59s})
        CHECK(clocks.correct(node, shift) == 0s);
    CHECK(client_clocks{time}.correct(node, 59s) == 0s);
}

TEST_CASE_METHOD(
    clocks_fixture, "the smallest shift of a sender is its clock's error", "[intake][client_clocks]"
) {
    time.advance(100h);
    CHECK(clocks.correct(node, 3620s) == 3620s);
    CHECK(clocks.correct(node, 3600s) == 3600s);
    CHECK(clocks.correct(node, 7200s) == 3600s); // a retry
    CHECK(clocks.correct(browser, 7200s) == 7200s);
    CHECK(clocks.correct(node, 200ms) == 0s); // its clock is right, and the others were on their way for long
    CHECK(clocks.correct(node, 3600s) == 0s);
}

TEST_CASE_METHOD(
    clocks_fixture, "a clock that is ahead is put back by the body's own shift", "[intake][client_clocks]"
) {
    CHECK(clocks.correct(node, -3600s) == -3600s);
    CHECK(clocks.correct(node, 1s) == 0s);
    CHECK(clocks.correct(node, -60s) == -60s);
    CHECK(clocks.correct(node, -6s) == -6s);
}

TEST_CASE_METHOD(
    clocks_fixture, "an outage before the start explains a shift of up to a day", "[intake][client_clocks]"
) {
    time.advance(10s);
    CHECK(clocks.correct(node, 1h) == 0s);
    CHECK(clocks.correct(node, 24h) == 0s);
    CHECK(clocks.correct(browser, 24h + 1s) == 24h + 1s);
    time.advance(2h);
    CHECK(clocks.correct(node, 3h) == 1h); // still an hour, which no outage explains any more
    CHECK(clocks.correct(3, 2h + 11s) == 0s);
    CHECK(clocks.correct(4, 2h + 10s) == 2h + 10s);
}

TEST_CASE_METHOD(
    clocks_fixture, "the smallest shift is that of the last 12 to 24 hours", "[intake][client_clocks]"
) {
    time.advance(100h);
    CHECK(clocks.correct(node, 0s) == 0s);
    time.advance(12h);
    CHECK(clocks.correct(node, 1h) == 0s);
    time.advance(12h);
    CHECK(clocks.correct(node, 1h) == 1h);
}

TEST_CASE_METHOD(
    clocks_fixture, "the number of senders that are kept is bounded", "[intake][client_clocks]"
) {
    time.advance(100h);
    CHECK(clocks.correct(0, 0s) == 0s);
    for (std::uint64_t sender = 1; sender < client_clocks::max_senders; ++sender)
        CHECK(clocks.correct(sender, 1h) == 1h);
    CHECK(clocks.correct(0, 1h) == 0s); // of the window before
    for (std::uint64_t sender = 1; sender <= client_clocks::max_senders; ++sender)
        CHECK(clocks.correct(sender + client_clocks::max_senders, 1h) == 1h);
    CHECK(clocks.correct(0, 1h) == 1h); // both windows have begun since
}

namespace {

/// Requests whose `SentAt` is so much before their arrival.
struct late_requests : endpoint_fixture<trackd::intake::segment_endpoint> {
    trackd::wall_time time_of(std::string_view body) {
        lane.events().clear();
        post("/v1/batch", body);
        return only_event().time;
    }

    static std::string body(std::string_view sent, std::string_view library = "a") {
        return R"({"sentAt":"2026-06-09T)" + std::string{sent} +
               R"(Z","batch":[{"type":"page","userId":"u","timestamp":"2026-06-09T10:13:00Z",)"
               R"("context":{"page":{},"library":{"name":")" +
               std::string{library} + R"("}}}]})";
    }

    const trackd::wall_time said = arrival - 20s;
};

} // namespace

TEST_CASE_METHOD(late_requests, "a retry does not move the time of a call", "[intake][client_clocks]") {
    CHECK(time_of(body("10:13:20")) == said);
    CHECK(time_of(body("10:13:05")) == said); // 15 s later
    CHECK(time_of(body("09:13:20")) == said); // an hour
    CHECK(events()[0].data.find(R"("timestamp":"2026-06-09T10:13:00Z")") != std::string::npos);
}

TEST_CASE_METHOD(
    late_requests, "a retry after a restart does not move the time of a call", "[intake][client_clocks]"
) {
    CHECK(time_of(body("10:12:20")) == said);
    CHECK(time_of(body("09:13:20")) == said);
}

TEST_CASE_METHOD(
    late_requests, "each library, User-Agent and key has its own shift", "[intake][client_clocks]"
) {
    CHECK(time_of(body("10:13:20")) == said);
    const auto day_late = R"({"sentAt":"2026-06-07T10:13:20Z","batch":[{"type":"page","userId":"u",)"
                          R"("timestamp":"2026-06-07T10:13:00Z","context":{"library":{"name":"b"}}}]})";
    CHECK(time_of(day_late) == said);
    const std::string same_library =
        R"({"sentAt":"2026-06-07T10:13:20Z","batch":[{"type":"page","userId":"u",)"
        R"("timestamp":"2026-06-07T10:13:00Z","context":{"library":{"name":"a"}}}]})";
    CHECK(time_of(same_library) == said - 48h); // a retry after two days
    header(http::field::user_agent, "User-Agent", "other");
    CHECK(time_of(same_library) == said);
}

TEST_CASE_METHOD(
    late_requests, "a call without a time gets the one at which it was sent", "[intake][client_clocks]"
) {
    CHECK(
        time_of(R"({"sentAt":"2026-06-09T10:13:05Z","batch":[{"type":"page","userId":"u"}]})") ==
        arrival - 15s
    );
}

TEST_CASE_METHOD(late_requests, "a call's time may have no zone", "[intake][client_clocks]") {
    const auto time_said = [this](std::string_view text) {
        return time_of(
            R"({"batch":[{"type":"page","userId":"u","timestamp":")" + std::string{text} + "\"}]}"
        );
    };
    CHECK(time_said("2026-06-09T10:13:00") == said);
    CHECK(time_said("2026-06-09T12:13:00+0200") == said);
    CHECK(time_said("2026-06-09") == arrival - 10h - 13min - 20s);
    CHECK(time_said("the ninth") == arrival);
}
