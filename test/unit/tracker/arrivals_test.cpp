#include "support/catch.hpp"
#include "tracker/arrivals.hpp"

using namespace trackd;
using namespace std::chrono_literals;

namespace {

struct arrivals_fixture {
    arrivals_fixture() { known.begin(1); }

    void arrive(std::uint64_t events) { known.reached(known.end() + events, now); }

    [[nodiscard]] std::pair<clock::duration, clock::duration> between(position at) const {
        const auto found = known.of(at);
        REQUIRE(found);
        return {found->first - start, found->last - start};
    }

    arrivals known;
    clock::time_point start{1h};
    clock::time_point now = start;
};

using times = std::pair<clock::duration, clock::duration>;

} // namespace

TEST_CASE_METHOD(arrivals_fixture, "an event is known to arrive when it is told of", "[arrivals]") {
    arrive(2);
    now += 1h;
    arrive(1);
    CHECK(between(1) == times{0s, 0s});
    CHECK(between(2) == times{0s, 0s});
    CHECK(between(3) == times{1h, 1h});
    CHECK_FALSE(known.of(4));
}

TEST_CASE_METHOD(arrivals_fixture, "nothing is known about what was there at the start", "[arrivals]") {
    known.begin(10);
    arrive(1);
    CHECK_FALSE(known.of(9));
    CHECK(known.of(10));
}

TEST_CASE_METHOD(arrivals_fixture, "events of one second share an entry", "[arrivals]") {
    arrive(1);
    now += 999ms;
    arrive(1);
    CHECK(between(1) == times{0s, 999ms});
    CHECK(between(2) == times{0s, 999ms});
    now += 1ms;
    arrive(1);
    CHECK(between(3) == times{1s, 1s});
}

TEST_CASE_METHOD(
    arrivals_fixture, "over a long time the entries become coarser, and stay true", "[arrivals]"
) {
    constexpr std::uint64_t seconds = 100'000; // more than a day
    for (std::uint64_t i = 0; i < seconds; ++i, now += 1s)
        arrive(1);
    for (position at = 1; at <= seconds; at += 99) {
        const auto came = std::chrono::seconds{at - 1};
        const auto [first, last] = between(at);
        CHECK(first <= came);
        CHECK(last >= came);
        CHECK(last - first <= seconds * 1s / 16);
    }
}

TEST_CASE_METHOD(arrivals_fixture, "what the sink has passed is forgotten", "[arrivals]") {
    arrive(5);
    now += 10s;
    arrive(5);
    known.forget_below(4);
    CHECK(between(4) == times{0s, 0s});
    known.forget_below(6);
    CHECK_FALSE(known.of(5));
    CHECK(between(6) == times{10s, 10s});
    known.forget_below(11);
    CHECK(known.end() == 11);
    now += 10s;
    arrive(1);
    CHECK(between(11) == times{20s, 20s});
}

TEST_CASE_METHOD(arrivals_fixture, "dropped events leave their positions to others", "[arrivals]") {
    arrive(5);
    now += 10s;
    arrive(5);
    known.reached(8, now);
    CHECK(known.end() == 8);
    CHECK_FALSE(known.of(8));
    known.reached(3, now);
    now += 10s;
    arrive(2);
    CHECK(between(2) == times{0s, 0s});
    CHECK(between(3) == times{20s, 20s});
    known.reached(1, now);
    arrive(1);
    CHECK(between(1) == times{20s, 20s});
}
