#include "support/catch.hpp"
#include "tracker/sink_lag.hpp"

using namespace trackd;
using namespace std::chrono_literals;

namespace {

struct lag_fixture {
    lag_fixture() { lag.progress(at, end, now); }

    // So much later the sink has taken some, and some have come.
    void pass(clock::duration time, std::uint64_t taken, std::uint64_t come) {
        now += time;
        at += taken;
        end += come;
        lag.progress(at, end, now);
    }

    [[nodiscard]] auto caught_up_in(clock::duration later = 0s) const {
        return lag.caught_up_in(at, end, now + later);
    }

    sink_lag lag;
    position at = 1;
    position end = 1;
    clock::time_point now{1h};
    wall_time wall{24h};
};

using none = std::optional<std::chrono::seconds>;

} // namespace

TEST_CASE_METHOD(lag_fixture, "a sink that lacks nothing has no lag", "[sink_lag]") {
    CHECK(lag.age(wall) == 0s);
    CHECK(caught_up_in() == 0s);
    pass(5s, 100, 100);
    CHECK(caught_up_in() == 0s);
}

TEST_CASE_METHOD(lag_fixture, "an event that was not read yet is as old as the lag", "[sink_lag]") {
    lag.fell_behind(wall);
    CHECK(lag.age(wall) == 0s);
    lag.fell_behind(wall + 4s);
    CHECK(lag.age(wall + 5s) == 5s);
}

TEST_CASE_METHOD(lag_fixture, "the lag is the age of the oldest event once that was read", "[sink_lag]") {
    lag.fell_behind(wall);
    lag.oldest_came(wall - 1h);
    CHECK(lag.age(wall) == 1h);
    lag.oldest_came(wall - 1999ms);
    CHECK(lag.age(wall) == 1s);
}

TEST_CASE_METHOD(lag_fixture, "what was read before it caught up is forgotten", "[sink_lag]") {
    lag.oldest_came(wall);
    lag.caught_up();
    CHECK(lag.age(wall + 1h) == 0s);
    lag.fell_behind(wall + 1h);
    CHECK(lag.age(wall + 1h + 3s) == 3s);
}

TEST_CASE_METHOD(lag_fixture, "a wall clock that was set back makes no negative age", "[sink_lag]") {
    lag.oldest_came(wall);
    CHECK(lag.age(wall - 1h) == 0s);
}

TEST_CASE_METHOD(lag_fixture, "the rate of delivery says when it has caught up", "[sink_lag]") {
    end = 1001;
    lag = {};
    lag.progress(at, end, now);
    pass(1s, 100, 0);
    CHECK(caught_up_in() == 9s);
    pass(1s, 100, 0);
    CHECK(caught_up_in() == 8s);
}

TEST_CASE_METHOD(lag_fixture, "what comes meanwhile makes it later", "[sink_lag]") {
    end = 1001;
    lag = {};
    lag.progress(at, end, now);
    pass(1s, 100, 60); // nearer by 40, and 960 are missing
    CHECK(caught_up_in() == 24s);
}

TEST_CASE_METHOD(lag_fixture, "while as many come as it takes there is no estimate", "[sink_lag]") {
    end = 1001;
    lag = {};
    lag.progress(at, end, now);
    pass(1s, 100, 100);
    CHECK(caught_up_in() == none{});
    pass(10s, 1000, 5000);
    CHECK(caught_up_in() == none{});
}

TEST_CASE_METHOD(lag_fixture, "before it has moved there is no estimate", "[sink_lag]") {
    pass(0s, 0, 1000);
    CHECK(caught_up_in(500ms) == none{});
    CHECK(caught_up_in(1h) == none{});
}

TEST_CASE_METHOD(lag_fixture, "the longer it stands still the later it is, until it is never", "[sink_lag]") {
    end = 1001;
    lag = {};
    lag.progress(at, end, now);
    pass(1s, 100, 0);
    CHECK(caught_up_in(2s) == 18s);
    CHECK(caught_up_in(4s) == 36s);
    CHECK(caught_up_in(60s) == none{});
    CHECK(caught_up_in() == 9s); // to ask changes nothing
}
