#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/fake_sink.hpp"
#include "support/manual_clock.hpp"
#include "support/run.hpp"

#include <trackd/lane.hpp>
#include <trackd/onlooker.hpp>
#include <trackd/tracker.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <stdexcept>

using namespace trackd;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

struct tracker_fixture {
    explicit tracker_fixture(tracker_options options = {})
        : tracker{context.get_executor(), options, make_memory_backlog(), sinks(), clock} {}

    ~tracker_fixture() {
        script->release();
        if (!drained) drain();
    }

    std::vector<sink_spec> sinks() {
        std::vector<sink_spec> made(1);
        made[0].name = "fake";
        made[0].kind = "fake";
        made[0].sink = std::make_unique<test::fake_sink>(script);
        return made;
    }

    error_code track(std::size_t events) {
        return test::run(context, tracker.track(test::make_batch(events)));
    }

    tracker_status status() { return test::run(context, tracker.status()); }

    drain_report drain(clock::duration within = 5s) {
        const auto report = start_drain(within);
        test::run_until(context, [&] { return report->ended(); });
        return report->get();
    }

    std::shared_ptr<test::outcome<drain_report>> start_drain(clock::duration within) {
        drained = true;
        return test::start(context, tracker.drain(clock.now() + within));
    }

    asio::io_context context;
    test::manual_clock clock;
    std::shared_ptr<test::fake_sink_script> script = std::make_shared<test::fake_sink_script>();
    trackd::tracker tracker;
    bool drained = false;
};

tracker_options with_ack(ack_mode ack) {
    tracker_options options;
    options.ack = ack;
    return options;
}

tracker_options bounded(std::size_t events) {
    tracker_options options;
    options.max_pending_events = events;
    return options;
}

void check_identity(const tracker_status& status) {
    for (const auto& sink : status.sinks)
        CHECK(
            sink.accepted == sink.delivered + sink.pending + sink.filtered + sink.dead_lettered +
                                 sink.skipped + sink.damaged + sink.lost
        );
}

} // namespace

TEST_CASE("what is tracked reaches the sink", "[tracker]") {
    tracker_fixture fixture;
    fixture.tracker.start();
    CHECK_FALSE(fixture.track(3));
    test::run_until(fixture.context, [&] { return fixture.tracker.delivered() == 3; });
    CHECK(fixture.script->ids() == std::vector<std::string>{"1", "2", "3"});
    const auto status = fixture.status();
    CHECK(status.accepted == 3);
    CHECK(status.pending_events == 0);
    CHECK(status.pending_bytes == 0);
    check_identity(status);
}

TEST_CASE("journaled cannot be promised by memory", "[tracker]") {
    asio::io_context context;
    std::vector<sink_spec> sinks(1);
    sinks[0].sink = std::make_unique<test::fake_sink>(std::make_shared<test::fake_sink_script>());
    CHECK_THROWS_AS(
        tracker(
            context.get_executor(), with_ack(ack_mode::journaled), make_memory_backlog(), std::move(sinks)
        ),
        std::invalid_argument
    );
}

TEST_CASE("accepted does not wait for the sink", "[tracker]") {
    tracker_fixture fixture;
    fixture.script->hold();
    fixture.tracker.start();
    CHECK_FALSE(fixture.track(1));
    const auto status = fixture.status();
    CHECK(status.sinks.front().pending == 1);
    check_identity(status);
}

TEST_CASE("delivered waits until the sink has confirmed", "[tracker]") {
    tracker_fixture fixture{with_ack(ack_mode::delivered)};
    fixture.script->hold();
    fixture.tracker.start();
    const auto answer = test::start(fixture.context, fixture.tracker.track(test::make_batch(2)));
    test::run_until(fixture.context, [&] { return fixture.script->attempts() == 1; });
    CHECK_FALSE(answer->ended());
    fixture.script->release();
    test::run_until(fixture.context, [&] { return answer->ended(); });
    CHECK_FALSE(answer->get());
    CHECK(fixture.script->ids().size() == 2);
}

TEST_CASE("delivered says so when its time is over, and delivers all the same", "[tracker]") {
    tracker_fixture fixture{with_ack(ack_mode::delivered)};
    fixture.script->hold();
    fixture.tracker.start();
    const auto answer = test::start(fixture.context, fixture.tracker.track(test::make_batch(1)));
    test::run_until(fixture.context, [&] { return fixture.clock.next() == 30s; });
    fixture.clock.advance(30s);
    test::run_until(fixture.context, [&] { return answer->ended(); });
    CHECK(answer->get() == errc::not_confirmed);
    fixture.script->release();
    test::run_until(fixture.context, [&] { return fixture.tracker.delivered() == 1; });
}

TEST_CASE("a full backlog refuses, stores nothing of it, and takes again when there is room", "[tracker]") {
    tracker_fixture fixture{bounded(2)};
    fixture.script->hold();
    fixture.tracker.start();
    CHECK_FALSE(fixture.track(2));
    CHECK(fixture.track(1) == errc::backlog_full);
    CHECK(fixture.status().refused == 1);
    CHECK(fixture.status().accepted == 2);
    fixture.script->release();
    test::run_until(fixture.context, [&] { return fixture.status().pending_events == 0; });
    CHECK_FALSE(fixture.track(1));
}

TEST_CASE("who can wait for room gets it", "[tracker]") {
    tracker_fixture fixture{bounded(2)};
    fixture.script->hold();
    fixture.tracker.start();
    CHECK_FALSE(fixture.track(2));
    const auto patient = test::start(
        fixture.context, fixture.tracker.track(test::make_batch(1, 3), fixture.clock.now() + 60s)
    );
    test::run_until(fixture.context, [&] { return fixture.clock.next() == 60s; });
    CHECK_FALSE(patient->ended());
    fixture.script->release();
    test::run_until(fixture.context, [&] { return patient->ended(); });
    CHECK_FALSE(patient->get());
    test::run_until(fixture.context, [&] { return fixture.tracker.delivered() == 3; });
}

TEST_CASE("who waits for room in vain gives up, and nothing of it is stored", "[tracker]") {
    tracker_fixture fixture{bounded(2)};
    fixture.script->hold();
    fixture.tracker.start();
    CHECK_FALSE(fixture.track(2));
    const auto patient = test::start(
        fixture.context, fixture.tracker.track(test::make_batch(1, 3), fixture.clock.now() + 60s)
    );
    test::run_until(fixture.context, [&] { return fixture.clock.next() == 60s; });
    fixture.clock.advance(60s);
    test::run_until(fixture.context, [&] { return patient->ended(); });
    CHECK(patient->get() == errc::given_up);
    CHECK(fixture.status().accepted == 2);
}

TEST_CASE("cancelling who waits for room stores nothing", "[tracker]") {
    tracker_fixture fixture{bounded(2)};
    fixture.script->hold();
    fixture.tracker.start();
    CHECK_FALSE(fixture.track(2));
    asio::cancellation_signal cancel;
    std::optional<error_code> answer;
    asio::co_spawn(
        fixture.context, fixture.tracker.track(test::make_batch(1, 3), fixture.clock.now() + 60s),
        asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr, error_code got) { answer = got; })
    );
    test::run_until(fixture.context, [&] { return fixture.clock.next() == 60s; });
    cancel.emit(asio::cancellation_type::terminal);
    test::run_until(fixture.context, [&] { return answer.has_value(); });
    CHECK(*answer == errc::given_up);
    CHECK(fixture.status().accepted == 2);
}

TEST_CASE("a drain delivers what is pending and says that nothing is lost", "[tracker]") {
    tracker_fixture fixture;
    fixture.script->hold();
    fixture.tracker.start();
    CHECK_FALSE(fixture.track(3));
    fixture.script->release();
    const auto report = fixture.drain();
    CHECK(report.in_time);
    CHECK(report.delivered == 3);
    CHECK(report.lost == 0);
    CHECK(report.pending == 0);
    CHECK(fixture.script->closed());
    check_identity(report.books);
}

TEST_CASE("a drain that runs out of time counts what is lost, exactly", "[tracker]") {
    tracker_fixture fixture;
    fixture.tracker.start();
    CHECK_FALSE(fixture.track(2));
    test::run_until(fixture.context, [&] { return fixture.tracker.delivered() == 2; });
    fixture.script->hold();
    CHECK_FALSE(fixture.track(3));
    const auto report = fixture.start_drain(5s);
    test::run_until(fixture.context, [&] { return fixture.clock.next() == 5s; });
    fixture.clock.advance(5s);
    test::run_until(fixture.context, [&] { return report->ended(); });
    CHECK_FALSE(report->get().in_time);
    CHECK(report->get().delivered == 2);
    CHECK(report->get().lost == 3);
    check_identity(report->get().books);
}

TEST_CASE("a hurried drain ends at once", "[tracker]") {
    tracker_fixture fixture;
    fixture.script->hold();
    fixture.tracker.start();
    CHECK_FALSE(fixture.track(3));
    const auto report = fixture.start_drain(5s);
    fixture.tracker.hurry();
    test::run_until(fixture.context, [&] { return report->ended(); });
    CHECK(report->get().lost == 3);
}

TEST_CASE("after the seal tracking is refused with an error", "[tracker]") {
    tracker_fixture fixture;
    fixture.tracker.start();
    fixture.tracker.seal();
    CHECK(fixture.track(1) == errc::sealed);
    CHECK(fixture.drain().books.accepted == 0);
    CHECK(fixture.track(1) == errc::sealed);
}

TEST_CASE("what lies in a lane when the tracker is sealed is drained with the rest", "[tracker]") {
    tracker_fixture fixture;
    auto& lane = fixture.tracker.add_lane(fixture.context);
    fixture.tracker.start();
    const auto mark = lane.mark();
    lane.events().append(test::make_event("from the lane"));
    REQUIRE_FALSE(lane.admit(mark));
    const auto report = fixture.drain();
    CHECK(report.delivered == 1);
    CHECK(fixture.script->ids() == std::vector<std::string>{"from the lane"});
}

TEST_CASE("who waits for a delivery when the drain gives up is told that there is none yet", "[tracker]") {
    tracker_fixture fixture{with_ack(ack_mode::delivered)};
    fixture.script->hold();
    fixture.tracker.start();
    const auto answer = test::start(fixture.context, fixture.tracker.track(test::make_batch(1)));
    test::run_until(fixture.context, [&] { return fixture.script->attempts() == 1; });
    const auto report = fixture.start_drain(5s);
    fixture.tracker.hurry();
    test::run_until(fixture.context, [&] { return report->ended() && answer->ended(); });
    CHECK(answer->get() == errc::not_confirmed);
}

TEST_CASE("once waiters are released nobody waits any more", "[tracker]") {
    tracker_fixture fixture{with_ack(ack_mode::delivered)};
    fixture.script->hold();
    fixture.tracker.start();
    fixture.tracker.release_waiters();
    CHECK(fixture.track(1) == errc::not_confirmed);
    fixture.script->release();
    test::run_until(fixture.context, [&] { return fixture.tracker.delivered() == 1; });
}

namespace {

boost::asio::awaitable<int> track_often(tracker& into, int times, error_code expected) {
    int as_expected = 0;
    for (int i = 0; i < times; ++i) {
        auto events = test::make_batch(1);
        const auto outcome = co_await into.track(std::move(events));
        if (outcome == expected) ++as_expected;
    }
    co_return as_expected;
}

} // namespace

TEST_CASE("being refused a hundred thousand times in a row costs no stack", "[tracker]") {
    tracker_fixture fixture{bounded(1)};
    fixture.script->hold();
    fixture.tracker.start();
    CHECK_FALSE(fixture.track(1));
    CHECK(test::run(fixture.context, track_often(fixture.tracker, 100'000, errc::backlog_full)) == 100'000);
}

TEST_CASE("more than the whole backlog may hold is refused for good", "[tracker]") {
    tracker_fixture fixture{bounded(2)};
    fixture.tracker.start();
    CHECK(fixture.track(3) == errc::too_large);
}

TEST_CASE("of two sinks the slower one decides what is delivered and what is lost", "[tracker]") {
    asio::io_context context;
    const auto quick = std::make_shared<test::fake_sink_script>();
    const auto slow = std::make_shared<test::fake_sink_script>();
    std::vector<sink_spec> sinks(2);
    sinks[0].name = "quick";
    sinks[0].sink = std::make_unique<test::fake_sink>(quick);
    sinks[1].name = "slow";
    sinks[1].sink = std::make_unique<test::fake_sink>(slow);
    slow->hold();
    tracker tracker{context.get_executor(), {}, make_memory_backlog(), std::move(sinks)};
    tracker.start();
    CHECK_FALSE(test::run(context, tracker.track(test::make_batch(3))));
    test::run_until(context, [&] { return quick->ids().size() == 3; });
    CHECK(tracker.delivered() == 0);
    const auto drained = test::start(context, tracker.drain(system_clock().now() + 60s));
    tracker.hurry();
    test::run_until(context, [&] { return drained->ended(); });
    const auto& report = drained->get();
    CHECK_FALSE(report.in_time);
    CHECK(report.delivered == 0);
    CHECK(report.lost == 3);
    CHECK(report.books.sinks[0].delivered == 3);
    CHECK(report.books.sinks[0].lost == 0);
    CHECK(report.books.sinks[1].lost == 3);
    check_identity(report.books);
}

TEST_CASE("activities name the deliveries, and none is left after a drain", "[tracker]") {
    tracker_fixture fixture;
    fixture.tracker.start();
    const auto before = test::run(fixture.context, fixture.tracker.activities());
    REQUIRE(before.deliveries.size() == 1);
    CHECK(before.deliveries.front().name == "delivery fake");
    fixture.drain();
    const auto after = test::run(fixture.context, fixture.tracker.activities());
    CHECK(after.deliveries.empty());
    CHECK(after.timers.empty());
}

TEST_CASE("how long a sink has been failing is known without the strand", "[tracker]") {
    tracker_fixture fixture;
    fixture.tracker.start();
    CHECK_FALSE(fixture.tracker.failing_for("fake"));
    fixture.script->fail_with("down");
    CHECK_FALSE(fixture.track(1));
    test::run_until(fixture.context, [&] { return fixture.tracker.failing_for("fake").has_value(); });
    fixture.clock.advance(3ms);
    CHECK(fixture.tracker.failing_for("fake") == 3ms);
    CHECK_FALSE(fixture.tracker.failing_for("other"));
    fixture.script->work();
    fixture.clock.advance(1s);
    test::run_until(fixture.context, [&] { return !fixture.tracker.failing_for("fake"); });
}

TEST_CASE("a delivery that has all that is in memory rests, but not on work", "[tracker]") {
    tracker_fixture fixture;
    fixture.tracker.start();
    CHECK_FALSE(fixture.track(3));
    test::run_until(fixture.context, [&] { return fixture.tracker.delivered() == 3; });
    CHECK(fixture.tracker.resting_on_work().empty());
}

TEST_CASE("a sink is given what its latest route wants", "[tracker][route]") {
    tracker_fixture fixture{with_ack(ack_mode::delivered)}; // whoever tracks waits until the sink has it
    const auto set_route = [&](const route& wanted) {
        return test::run(fixture.context, fixture.tracker.set_route("fake", wanted));
    };
    fixture.tracker.start();
    CHECK(fixture.track(2) == error_code{});
    CHECK(set_route({patterns{{"nothing.*"}}, {}}));
    CHECK(fixture.track(3) == error_code{});
    CHECK(set_route({}));
    CHECK(fixture.track(4) == error_code{});
    const auto books = fixture.status();
    CHECK(books.sinks[0].delivered == 6);
    CHECK(books.sinks[0].filtered == 3);
    check_identity(books);
}

TEST_CASE_METHOD(tracker_fixture, "a sink that there is not gets no route", "[tracker][route]") {
    CHECK_FALSE(test::run(context, tracker.set_route("nobody", {})));
}

namespace {

struct collecting final : onlooker {
    using onlooker::look;

    void show(shown_batch shown) override {
        for (const auto event : *shown.events)
            ids.emplace_back(event.id);
    }

    std::vector<std::string> ids;
};

tracker_options shown_to(onlooker& who) {
    tracker_options options;
    options.onlooker = &who;
    return options;
}

} // namespace

TEST_CASE("who looks on is shown what is taken in, by track and by a lane", "[tracker]") {
    collecting who;
    tracker_fixture fixture{shown_to(who)};
    auto& lane = fixture.tracker.add_lane(fixture.context);
    fixture.tracker.start();
    CHECK_FALSE(fixture.track(1));
    CHECK(who.ids.empty());
    who.look(true);
    CHECK_FALSE(fixture.track(2));
    CHECK(who.ids == std::vector<std::string>{"1", "2"});
    const auto mark = lane.mark();
    lane.events().append(test::make_event("by-lane"));
    CHECK_FALSE(lane.admit(mark));
    test::run_until(fixture.context, [&] { return who.ids.size() == 3; });
    CHECK(who.ids.back() == "by-lane");
    who.look(false);
    CHECK_FALSE(fixture.track(1));
    CHECK(who.ids.size() == 3);
}
