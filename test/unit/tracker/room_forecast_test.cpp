#include "support/catch.hpp"
#include "tracker/room_forecast.hpp"

using namespace trackd;
using namespace std::chrono_literals;

namespace {

struct forecast_fixture {
    // After so much time every sink has got there.
    void progress(clock::duration after, position confirmed) {
        now += after;
        forecast.progress(confirmed, now);
    }

    std::optional<std::chrono::seconds> until(position needed) {
        return forecast.until(needed, false, now).forecast;
    }

    std::optional<clock::time_point> stalled_since(position needed, bool blocked = false) {
        return forecast.until(needed, blocked, now).stalled_since;
    }

    room_forecast forecast;
    clock::time_point now{1h};
};

} // namespace

TEST_CASE_METHOD(forecast_fixture, "where there is room already one may come back soon", "[room_forecast]") {
    CHECK(until(0) == room_forecast::least);
    progress(0s, 100);
    progress(10s, 100);
    CHECK(until(100) == room_forecast::least);
    CHECK(until(50) == room_forecast::least);
}

TEST_CASE_METHOD(forecast_fixture, "while nothing moves nothing is known", "[room_forecast]") {
    CHECK_FALSE(until(1));
    progress(0s, 100);
    CHECK_FALSE(until(101));
    progress(5s, 100);
    CHECK_FALSE(until(101));
}

TEST_CASE_METHOD(forecast_fixture, "an outage begins when nothing makes room any more", "[room_forecast]") {
    progress(0s, 100);
    CHECK_FALSE(stalled_since(100));
    now += 1h; // idle
    const auto outage = now;
    CHECK(stalled_since(101) == outage);
    progress(20s, 100);
    CHECK(stalled_since(101) == outage);
    progress(10s, 101);
    CHECK(stalled_since(102) == now); // a sink has moved
    CHECK_FALSE(stalled_since(101));
}

TEST_CASE_METHOD(
    forecast_fixture, "a backlog that takes nothing is an outage of its own", "[room_forecast]"
) {
    progress(0s, 1);
    progress(1s, 101);
    CHECK(forecast.until(101, false, now).forecast == room_forecast::least);
    CHECK_FALSE(forecast.until(101, true, now).forecast);
    CHECK(stalled_since(101, true) == now);
}

TEST_CASE_METHOD(forecast_fixture, "the time comes from the rate and is rounded up", "[room_forecast]") {
    progress(0s, 1);
    progress(2s, 201); // a hundred a second
    CHECK(until(202) == 1s);
    CHECK(until(301) == 1s);
    CHECK(until(302) == 2s);
    CHECK(until(1201) == 10s);
    CHECK(until(1202) == 11s);
}

TEST_CASE_METHOD(forecast_fixture, "it is never longer than the longest", "[room_forecast]") {
    progress(0s, 1);
    progress(1s, 2);
    CHECK(until(61) == 59s);
    CHECK(until(62) == room_forecast::most);
    CHECK(until(1'000'000'000'000) == room_forecast::most);
}

TEST_CASE_METHOD(forecast_fixture, "what happens within a second is taken together", "[room_forecast]") {
    progress(0s, 1);
    progress(500ms, 501);
    CHECK_FALSE(until(502)); // no rate is known yet
    progress(499ms, 901);
    CHECK_FALSE(until(902));
    progress(1ms, 1001);
    CHECK(until(11'001) == 10s);
}

TEST_CASE_METHOD(forecast_fixture, "how far it is counts from where the sinks are now", "[room_forecast]") {
    progress(0s, 1);
    progress(1s, 101);
    CHECK(until(1101) == 10s);
    progress(100ms, 601);
    CHECK(until(1101) == 5s);
}

TEST_CASE_METHOD(forecast_fixture, "a new rate counts as much as all before", "[room_forecast]") {
    progress(0s, 1);
    progress(1s, 101);
    progress(1s, 401); // three hundred a second: two hundred in the mean
    CHECK(until(2401) == 10s);
    progress(1s, 401);
    CHECK(until(2401) == 20s);
}
