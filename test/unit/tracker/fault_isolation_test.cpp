// Which is at fault, an event or the destination: the decision by itself, played against sinks of every sort.
#include "support/catch.hpp"
#include "tracker/fault_isolation.hpp"

#include <algorithm>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace trackd;

namespace {

struct answer {
    bool stored = true;
    write_failure kind = write_failure::failed;
    std::string error;
};

constexpr auto rejected = write_failure::rejected;
constexpr auto failed = write_failure::failed;

/// What a destination says to a write of the events [first, first + count) at the round so far.
using destination = std::function<answer(std::size_t first, std::size_t count, int round)>;

struct account {
    std::set<std::size_t> dead;
    std::set<std::size_t> stored;
    std::size_t writes = 0;
    int rounds = 0; // that ended with a wait
    bool rejects_everything = false;
};

/// Delivers `events` as a delivery does, with at most `batch` a write, until all are dealt with or `most_rounds` have passed.
account deliver(std::size_t events, std::size_t batch, const destination& to, int most_rounds) {
    fault_isolation isolation;
    account done;
    std::size_t at = 0;
    const auto dealt_with = [&](std::size_t one) {
        return done.dead.contains(one) || done.stored.contains(one);
    };
    const auto probe = [&] {
        const auto others = events - at - 1;
        if (others == 0) return isolation.nothing_to_probe();
        auto one = at + 1 + probe_offset(isolation.probe_number(), others);
        while (one < events && dealt_with(one))
            ++one;
        if (one == events)
            for (one = at + 1; one < events && dealt_with(one);)
                ++one;
        if (one == events) return isolation.nothing_to_probe();
        ++done.writes;
        const auto said = to(one, 1, done.rounds);
        if (!said.stored) return isolation.probe_failed(said.kind);
        done.stored.insert(one);
        return isolation.probe_passed();
    };
    while (done.rounds < most_rounds) {
        while (at < events && dealt_with(at))
            ++at;
        if (at == events) break;
        auto given = std::min({batch, isolation.limit(), events - at});
        for (std::size_t i = 1; i < given; ++i)
            if (done.stored.contains(at + i)) given = i;
        ++done.writes;
        const auto said = to(at, given, done.rounds);
        if (said.stored) {
            for (std::size_t i = 0; i < given; ++i)
                done.stored.insert(at + i);
            isolation.passed(given);
            continue;
        }
        auto verdict = isolation.failed(said.kind, given, said.error);
        while (verdict == failure_verdict::probe_others)
            verdict = probe();
        if (verdict == failure_verdict::event_at_fault) {
            REQUIRE(given == 1);
            done.dead.insert(at);
            isolation.dead_lettered(1);
        } else if (verdict == failure_verdict::retry_later) {
            ++done.rounds;
        }
        done.rejects_everything = isolation.rejects_everything();
    }
    return done;
}

/// Stores nothing with one of these in it.
destination with_bad_events(std::set<std::size_t> bad, write_failure kind) {
    return [bad = std::move(bad), kind](std::size_t first, std::size_t count, int) -> answer {
        const auto one = bad.lower_bound(first);
        if (one == bad.end() || *one >= first + count) return {};
        return {false, kind, "event " + std::to_string(*one) + " is bad"};
    };
}

/// Stores nothing in the first rounds.
destination broken_until(int round, write_failure kind, destination then) {
    return [=](std::size_t first, std::size_t count, int now) -> answer {
        if (now < round) return {false, kind, "broken"};
        return then(first, count, now);
    };
}

std::set<std::size_t> interval(std::size_t first, std::size_t end) {
    std::set<std::size_t> all;
    for (; first < end; ++first)
        all.insert(first);
    return all;
}

constexpr std::size_t many = 2'000;
constexpr std::size_t behind = 20; // good events that come later

} // namespace

TEST_CASE(
    "an event's fault makes dead letters of exactly the bad events, whatever the error is called",
    "[isolation]"
) {
    const auto kind = GENERATE(rejected, failed);
    const auto bad = GENERATE(
        std::set<std::size_t>{0}, std::set<std::size_t>{many / 2}, std::set<std::size_t>{many - 1},
        std::set<std::size_t>{0, 1, 2}, std::set<std::size_t>{5, 6, 999, 1'500, 1'999}, interval(0, 40),
        interval(700, 740)
    );
    CAPTURE(kind == rejected, bad.size(), *bad.begin());
    const auto done = deliver(many + behind, 500, with_bad_events(bad, kind), 10'000);
    CHECK(done.dead == bad);
    CHECK(done.stored.size() == many + behind - bad.size());
}

TEST_CASE("one rejected event among thousands costs a few dozen writes and no wait", "[isolation]") {
    const auto done = deliver(many, many, with_bad_events({4}, rejected), 10);
    CHECK(done.dead == std::set<std::size_t>{4});
    CHECK(done.writes <= 45);
    CHECK(done.rounds == 0);
}

TEST_CASE("an error without a hint costs a few waits more", "[isolation]") {
    const auto done = deliver(many, many, with_bad_events({4}, failed), 100);
    CHECK(done.dead == std::set<std::size_t>{4});
    CHECK(done.rounds <= fault_isolation::patient_attempts + fault_isolation::confirmations_needed);
}

TEST_CASE("thousands of rejected events in a row are dead letters, because others pass", "[isolation]") {
    const auto done = deliver(many + 1'000, 500, with_bad_events(interval(0, many), rejected), 10'000);
    CHECK(done.dead == interval(0, many));
    CHECK(done.stored.size() == 1'000);
    CHECK(done.writes <= many * 2);
}

TEST_CASE("a destination that stores nothing makes no dead letter, however long it lasts", "[isolation]") {
    const auto kind = GENERATE(rejected, failed);
    const auto events = GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{9}, many);
    CAPTURE(kind == rejected, events);
    const auto broken = deliver(events, 500, broken_until(1'000, kind, {}), 1'000);
    CHECK(broken.dead.empty());
    CHECK(broken.stored.empty());
    CHECK(broken.rejects_everything == (kind == rejected && events > 1));
    CHECK(broken.writes <= 1'000 * (1 + fault_isolation::probes_a_round) + 20);
    const auto mended = deliver(events, 500, broken_until(1'000, kind, with_bad_events({}, kind)), 2'000);
    CHECK(mended.dead.empty());
    CHECK(mended.stored.size() == events);
}

TEST_CASE("with both at once only the events that fail while others pass are dead letters", "[isolation]") {
    const auto of_events = GENERATE(rejected, failed);
    const auto of_destination = GENERATE(rejected, failed);
    const std::set<std::size_t> bad{0, 1, 250, 1'999};
    const auto to = broken_until(20, of_destination, with_bad_events(bad, of_events));
    const auto done = deliver(many + behind, 500, to, 10'000);
    CHECK(done.dead == bad);
    CHECK(done.stored.size() == many + behind - bad.size());
}

TEST_CASE(
    "a destination that breaks in the middle of a search takes few good events with it", "[isolation]"
) {
    std::size_t writes = 0;
    const auto to = [&](std::size_t first, std::size_t count, int) -> answer {
        if (++writes > 8) return {false, rejected, "broken"};
        return with_bad_events({3}, rejected)(first, count, 0);
    };
    const auto done = deliver(100, 100, to, 50);
    CHECK(done.dead.size() <= fault_isolation::dead_letters_a_pass + 1);
}

TEST_CASE("a single event without another one to compare it with waits", "[isolation]") {
    fault_isolation isolation;
    CHECK(isolation.failed(rejected, 1, "no") == failure_verdict::probe_others);
    CHECK(isolation.nothing_to_probe() == failure_verdict::retry_later);
    CHECK(isolation.lacks_comparison());
    CHECK_FALSE(isolation.rejects_everything());
    CHECK(isolation.failed(rejected, 1, "no") == failure_verdict::probe_others);
    CHECK(isolation.probe_passed() == failure_verdict::retry_now);
    CHECK(isolation.failed(rejected, 1, "no") == failure_verdict::event_at_fault);
}

TEST_CASE(
    "a failure that is over soon repeats the whole batch, and stores nothing out of order", "[isolation]"
) {
    fault_isolation isolation;
    CHECK(isolation.failed(failed, 500, "down") == failure_verdict::retry_later);
    CHECK(isolation.limit() >= 500);
    isolation.passed(500);
    CHECK(isolation.suspects() == 0);
    CHECK(isolation.limit() >= 500);
}

TEST_CASE("destinations that fail at random lose next to no event to the dead letters", "[isolation]") {
    const auto percent = GENERATE(10U, 30U, 50U, 70U, 90U);
    CAPTURE(percent);
    std::mt19937 random{percent};
    std::size_t dead = 0;
    for (int run = 0; run < 100; ++run) {
        const auto flaky = [&](std::size_t, std::size_t, int) -> answer {
            if (random() % 100 < percent) return {false, failed, "no"};
            return {};
        };
        dead += deliver(200, 20, flaky, 100'000).dead.size();
    }
    CHECK(dead <= 20); // of 20,000
}

TEST_CASE(
    "a destination that takes only few events at once is given few, without a dead letter", "[isolation]"
) {
    const auto kind = GENERATE(rejected, failed);
    const auto narrow = [kind](std::size_t, std::size_t count, int) -> answer {
        return count > 100 ? answer{false, kind, "too many"} : answer{};
    };
    const auto done = deliver(10'000, 10'000, narrow, 1'000);
    CHECK(done.dead.empty());
    CHECK(done.stored.size() == 10'000);
}

TEST_CASE("probes look at the next event, at the newest ones, and all over the backlog", "[isolation]") {
    CHECK(probe_offset(0, 1'000) == 0);
    CHECK(probe_offset(1, 1'000) == 984);
    CHECK(probe_offset(2, 1'000) == 500);
    CHECK(probe_offset(3, 1'000) == 250);
    CHECK(probe_offset(4, 1'000) == 750);
    for (unsigned number = 0; number < 100; ++number)
        for (const std::size_t others : {1U, 2U, 3U, 17U})
            CHECK(probe_offset(number, others) < others);
}
