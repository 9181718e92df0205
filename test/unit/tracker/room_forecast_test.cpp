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

    room_forecast forecast;
    clock::time_point now{1h};
};

} // namespace

TEST_CASE_METHOD(forecast_fixture, "where there is room already one may come back soon", "[room_forecast]") {
    CHECK(forecast.until(0) == room_forecast::least);
    progress(0s, 100);
    progress(10s, 100);
    CHECK(forecast.until(100) == room_forecast::least);
    CHECK(forecast.until(50) == room_forecast::least);
}

TEST_CASE_METHOD(forecast_fixture, "while nothing moves it is a long time", "[room_forecast]") {
    CHECK(forecast.until(1) == room_forecast::most);
    progress(0s, 100);
    CHECK(forecast.until(101) == room_forecast::most);
    progress(5s, 100);
    CHECK(forecast.until(101) == room_forecast::most);
}

TEST_CASE_METHOD(forecast_fixture, "the time comes from the rate and is rounded up", "[room_forecast]") {
    progress(0s, 1);
    progress(2s, 201); // a hundred a second
    CHECK(forecast.until(202) == 1s);
    CHECK(forecast.until(301) == 1s);
    CHECK(forecast.until(302) == 2s);
    CHECK(forecast.until(1201) == 10s);
    CHECK(forecast.until(1202) == 11s);
}

TEST_CASE_METHOD(forecast_fixture, "it is never longer than the longest", "[room_forecast]") {
    progress(0s, 1);
    progress(1s, 2);
    CHECK(forecast.until(61) == 59s);
    CHECK(forecast.until(62) == room_forecast::most);
    CHECK(forecast.until(1'000'000'000'000) == room_forecast::most);
}

TEST_CASE_METHOD(forecast_fixture, "what happens within a second is taken together", "[room_forecast]") {
    progress(0s, 1);
    progress(500ms, 501);
    CHECK(forecast.until(502) == room_forecast::most); // no rate is known yet
    progress(499ms, 901);
    CHECK(forecast.until(902) == room_forecast::most);
    progress(1ms, 1001);
    CHECK(forecast.until(11'001) == 10s);
}

TEST_CASE_METHOD(forecast_fixture, "how far it is counts from where the sinks are now", "[room_forecast]") {
    progress(0s, 1);
    progress(1s, 101);
    CHECK(forecast.until(1101) == 10s);
    progress(100ms, 601);
    CHECK(forecast.until(1101) == 5s);
}

TEST_CASE_METHOD(forecast_fixture, "a new rate counts as much as all before", "[room_forecast]") {
    progress(0s, 1);
    progress(1s, 101);
    progress(1s, 401); // three hundred a second: two hundred in the mean
    CHECK(forecast.until(2401) == 10s);
    progress(1s, 401);
    CHECK(forecast.until(2401) == 20s);
}
