// Also the table `Clock jumps` of docs/reliability.md.
#include "sinks/kafka_timestamps.hpp"
#include "support/catch.hpp"

using namespace trackd;
using namespace std::chrono_literals;

namespace {

// Brokers with a clock that is right, and bounds for the time of a message.
struct brokers {
    [[nodiscard]] bool take(wall_time time) const { return now - time <= before && time - now <= after; }

    wall_time now{24h * 10'000};
    std::chrono::microseconds before = 1h;
    std::chrono::microseconds after = 1h;
};

struct timestamps_fixture {
    // As the sink does: whether it is delivered, and with which time.
    std::optional<wall_time> send(wall_time received_at) {
        for (int attempt = 0; attempt < 3; ++attempt) {
            ++attempts;
            times.begin_attempt();
            const auto time = times.of(received_at);
            if (cluster.take(time)) return time;
            times.refused(received_at);
            if (!times.learn()) break;
        }
        return {};
    }

    brokers cluster;
    std::chrono::microseconds offset{0}; // of our clock
    sinks::kafka_timestamps times{[this] { return cluster.now + offset; }};
    int attempts = 0;
};

} // namespace

TEST_CASE_METHOD(
    timestamps_fixture, "a message has the time of arrival while the brokers take it", "[sinks][kafka]"
) {
    CHECK(send(cluster.now) == cluster.now);
    CHECK(send(cluster.now - 1h) == cluster.now - 1h);
    CHECK(attempts == 2);
}

TEST_CASE_METHOD(timestamps_fixture, "a backlog that is too old gets the present time", "[sinks][kafka]") {
    const auto old = cluster.now - 5h;
    CHECK(send(old) == cluster.now);
    CHECK(attempts == 2);
    int sent = 0;
    for (auto arrived = old; arrived < cluster.now; arrived += 1min, ++sent)
        CHECK(send(arrived).has_value());
    CHECK(send(cluster.now - 30min) == cluster.now - 30min);
    CHECK(attempts - sent < 12); // one is refused now and then, and not each
}

TEST_CASE_METHOD(
    timestamps_fixture, "the oldest of a backlog teaches what the younger ones need", "[sinks][kafka]"
) {
    times.begin_attempt();
    times.refused(cluster.now - 5h);
    times.refused(cluster.now - 2h);
    times.refused(cluster.now - 3h);
    CHECK(times.learn());
    times.begin_attempt();
    CHECK(times.is_replaced(cluster.now - 90min));
    CHECK(times.is_replaced(cluster.now + 90min));
    CHECK_FALSE(times.is_replaced(cluster.now - 89min));
}

TEST_CASE_METHOD(timestamps_fixture, "events that arrived under a clock that was ahead", "[sinks][kafka]") {
    const auto ahead = GENERATE(std::chrono::minutes{61}, std::chrono::minutes{24h * 400});
    const auto arrived = cluster.now + ahead;
    SECTION("are taken with the present time once the clock is right") {
        CHECK(send(arrived) == cluster.now);
    }
    SECTION("wait while the clock is ahead, and teach nothing") {
        offset = ahead;
        CHECK(send(arrived) == std::nullopt);
        CHECK(send(arrived) == std::nullopt);
        offset = 0s;
        CHECK(send(arrived) == cluster.now);
        CHECK(send(cluster.now - 1s) == cluster.now - 1s);
    }
}

TEST_CASE_METHOD(timestamps_fixture, "events that arrived under a clock that was behind", "[sinks][kafka]") {
    offset = -2h;
    const auto arrived = cluster.now + offset;
    CHECK(send(arrived) == std::nullopt); // the present time is refused, too
    offset = 0s;
    CHECK(send(arrived) == cluster.now);
    CHECK(send(cluster.now - 1s) == cluster.now - 1s);
}

TEST_CASE_METHOD(timestamps_fixture, "a limit is looked for again after a while", "[sinks][kafka]") {
    CHECK(send(cluster.now - 5h) == cluster.now);
    cluster.before = 24h; // an operator has raised it
    CHECK(send(cluster.now - 5h) == cluster.now);
    cluster.now += 10min;
    CHECK(send(cluster.now - 5h) == cluster.now - 5h);
}
