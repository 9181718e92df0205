#include "support/catch.hpp"
#include "tracker/sink_lag.hpp"

using namespace trackd;
using namespace std::chrono_literals;

namespace {

struct lag_fixture {
    lag_fixture() { lag.begin(at, end, now, wall); }

    // Both clocks go on.
    void wait(std::chrono::seconds time) {
        now += time;
        wall += time;
    }

    void arrive(std::uint64_t events) {
        end += events;
        lag.arrived(end, now);
    }

    [[nodiscard]] std::chrono::seconds age() const { return lag.age(at, wall, now); }

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
    wall_time wall{24h * 10'000};
};

using none = std::optional<std::chrono::seconds>;

} // namespace

TEST_CASE_METHOD(lag_fixture, "a sink that lacks nothing has no lag", "[sink_lag]") {
    CHECK(age() == 0s);
    CHECK(caught_up_in() == 0s);
    pass(5s, 100, 100);
    CHECK(caught_up_in() == 0s);
}

TEST_CASE_METHOD(lag_fixture, "an event that was not read yet is as old as the lag", "[sink_lag]") {
    arrive(1);
    lag.fell_behind(wall);
    CHECK(age() == 0s);
    wait(4s);
    lag.fell_behind(wall);
    wait(1s);
    CHECK(age() == 5s);
}

TEST_CASE_METHOD(lag_fixture, "the lag is the age of the oldest event once that was read", "[sink_lag]") {
    arrive(1);
    lag.oldest_came(wall);
    wait(20s);
    arrive(1);
    CHECK(age() == 20s);
    lag.progress(++at, end, now);
    lag.oldest_came(wall);
    wait(2s);
    CHECK(age() == 2s);
}

TEST_CASE_METHOD(lag_fixture, "an event of an earlier process is as old as it says", "[sink_lag]") {
    end = 11;
    lag = {};
    lag.begin(at, end, now, wall);
    lag.oldest_came(wall - 1h);
    CHECK(age() == 1h);
    wait(10s);
    CHECK(age() == 1h + 10s);
}

TEST_CASE_METHOD(lag_fixture, "what was read before it caught up is forgotten", "[sink_lag]") {
    arrive(1);
    lag.oldest_came(wall);
    lag.progress(++at, end, now);
    lag.caught_up();
    wait(3600s);
    CHECK(age() == 0s);
    arrive(1);
    lag.fell_behind(wall);
    wait(3s);
    CHECK(age() == 3s);
}

// The table `Clock jumps` of docs/reliability.md.
TEST_CASE_METHOD(
    lag_fixture, "a jump of the wall clock moves the lag by no more than a second", "[sink_lag]"
) {
    const auto jump = GENERATE(
        std::chrono::seconds{24h * 400}, std::chrono::seconds{1h}, std::chrono::seconds{-1h},
        std::chrono::seconds{-24h * 400}, std::chrono::seconds{-24h * 10'000}
    );
    const auto off = [this](std::chrono::seconds expected) {
        return std::chrono::abs(age() - expected) <= 1s;
    };
    INFO("a jump of " << jump.count() << " s");

    SECTION("while an event waits that has arrived before") {
        arrive(1);
        lag.oldest_came(wall);
        wait(60s);
        wall += jump;
        CHECK(off(60s));
        wait(60s);
        CHECK(off(120s));
        wall -= jump;
        CHECK(off(120s));
    }
    SECTION("while an event waits that nothing has read") {
        arrive(1);
        lag.fell_behind(wall);
        wait(60s);
        wall += jump;
        CHECK(off(60s));
    }
    SECTION("with an event that arrives in the middle of it") {
        wall += jump;
        arrive(1);
        lag.oldest_came(wall);
        wait(60s);
        CHECK(off(60s));
        wall -= jump;
        CHECK(off(60s));
        wait(60s);
        CHECK(off(120s));
    }
    SECTION("with events of many minutes, the oldest of which is taken") {
        arrive(1);
        for (int i = 0; i < 600; ++i) {
            wait(1s);
            arrive(1);
        }
        at += 300;
        lag.oldest_came(wall - 300s);
        lag.progress(at, end, now);
        wall += jump;
        CHECK(std::chrono::abs(age() - 300s) <= 20s); // the resolution of 600 entries in 64
    }
}

TEST_CASE_METHOD(
    lag_fixture, "with events of an earlier process a jump ahead does not make the lag longer", "[sink_lag]"
) {
    end = 11;
    lag = {};
    lag.begin(at, end, now, wall);
    lag.oldest_came(wall - 1h);
    wait(60s);
    wall += 24h * 400;
    CHECK(age() == 1h + 60s);
    wall -= 24h * 400;
    CHECK(age() == 1h + 60s);
}

TEST_CASE_METHOD(
    lag_fixture, "with events of an earlier process a jump back leaves the time of this one", "[sink_lag]"
) {
    end = 11;
    lag = {};
    lag.begin(at, end, now, wall);
    lag.oldest_came(wall - 1h);
    wait(60s);
    wall -= 2h;
    CHECK(age() == 60s);
    wall += 2h;
    CHECK(age() == 1h + 60s);
}

TEST_CASE_METHOD(
    lag_fixture, "a start with a clock that is wrong is put right together with the clock", "[sink_lag]"
) {
    end = 11;
    lag = {};
    const auto right = wall;
    SECTION("ahead") {
        lag.begin(at, end, now, wall + 24h * 400);
        lag.oldest_came(right - 1h);
        CHECK(lag.age(at, wall + 24h * 400, now) == 24h * 400 + 1h); // nothing tells
    }
    SECTION("behind, as of a machine without a clock of its own") {
        lag.begin(at, end, now, wall_time{});
        lag.oldest_came(right - 1h);
        CHECK(lag.age(at, wall_time{}, now) == 0s);
    }
    wait(5s);
    CHECK(age() == 1h + 5s);
}

TEST_CASE_METHOD(lag_fixture, "an event whose arrival was not told yet has no age", "[sink_lag]") {
    wait(60s);
    lag.fell_behind(wall);
    CHECK(age() == 0s);
}

TEST_CASE_METHOD(lag_fixture, "the rate of delivery says when it has caught up", "[sink_lag]") {
    end = 1001;
    lag = {};
    lag.begin(at, end, now, wall);
    pass(1s, 100, 0);
    CHECK(caught_up_in() == 9s);
    pass(1s, 100, 0);
    CHECK(caught_up_in() == 8s);
}

TEST_CASE_METHOD(lag_fixture, "what comes meanwhile makes it later", "[sink_lag]") {
    end = 1001;
    lag = {};
    lag.begin(at, end, now, wall);
    pass(1s, 100, 60); // nearer by 40, and 960 are missing
    CHECK(caught_up_in() == 24s);
}

TEST_CASE_METHOD(lag_fixture, "while as many come as it takes there is no estimate", "[sink_lag]") {
    end = 1001;
    lag = {};
    lag.begin(at, end, now, wall);
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
    lag.begin(at, end, now, wall);
    pass(1s, 100, 0);
    CHECK(caught_up_in(2s) == 18s);
    CHECK(caught_up_in(4s) == 36s);
    CHECK(caught_up_in(60s) == none{});
    CHECK(caught_up_in() == 9s); // to ask changes nothing
}
