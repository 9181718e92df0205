#include "support/catch.hpp"
#include "tracker/observed_rate.hpp"

using namespace trackd;
using namespace std::chrono_literals;

namespace {

struct rate_fixture {
    double reached(clock::duration after, position at) {
        now += after;
        rate.reached(at, now);
        return rate.per_second();
    }

    observed_rate rate{2s};
    clock::time_point now{1h};
};

} // namespace

TEST_CASE_METHOD(rate_fixture, "a rate is known after a second", "[observed_rate]") {
    CHECK(reached(0s, 1000) == 0);
    CHECK(reached(999ms, 2000) == 0);
    CHECK(reached(1ms, 1100) == 100);
}

TEST_CASE_METHOD(rate_fixture, "what was seen a half-life ago counts half", "[observed_rate]") {
    reached(0s, 0);
    CHECK(reached(1s, 100) == 100);
    CHECK(reached(2s, 700) == 200);
    CHECK(reached(4s, 700) == 50); // two of them
}

TEST_CASE_METHOD(rate_fixture, "what goes back takes away", "[observed_rate]") {
    reached(0s, 1000);
    CHECK(reached(1s, 900) == -100);
}

TEST_CASE("the time for some events is rounded up, and bounded", "[observed_rate]") {
    CHECK(time_for(100, 100, 60s) == 1s);
    CHECK(time_for(101, 100, 60s) == 2s);
    CHECK(time_for(5900, 100, 60s) == 59s);
    CHECK_FALSE(time_for(5901, 100, 60s));
    CHECK_FALSE(time_for(1, 0, 60s));
    CHECK_FALSE(time_for(1, -1, 60s));
    CHECK_FALSE(time_for(1'000'000'000'000'000'000, 1e-300, 60s));
}
