// The tracker with a backlog on disk: what is promised when, and what becomes of it when the disk is full or fails.
#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/fake_backlog.hpp"
#include "support/fake_sink.hpp"
#include "support/manual_clock.hpp"
#include "support/run.hpp"

#include <trackd/lane.hpp>
#include <trackd/tracker.hpp>

using namespace trackd;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

using strings = std::vector<std::string>;
using answer = std::shared_ptr<test::outcome<error_code>>;

tracker_options with_ack(ack_mode ack) {
    tracker_options options;
    options.ack = ack;
    return options;
}

struct journal_tracker {
    explicit journal_tracker(tracker_options options = with_ack(ack_mode::journaled), position first = 1)
        : made{std::make_unique<test::fake_backlog>(first)}, store{made.get()},
          tracker{context.get_executor(), options, std::move(made), sinks(), clock},
          lane{tracker.add_lane(context)} {
        tracker.start();
        kept_before_strand = store->kept_new_sinks();
        settle();
    }

    ~journal_tracker() {
        script->release();
        if (!drained) drain();
    }

    journal_tracker(const journal_tracker&) = delete;
    journal_tracker& operator=(const journal_tracker&) = delete;

    std::vector<sink_spec> sinks() {
        std::vector<sink_spec> one(1);
        one[0].name = "fake";
        one[0].kind = "fake";
        one[0].sink = std::make_unique<test::fake_sink>(script);
        return one;
    }

    // Until nothing moves any more but what time, the test or the sink's thread moves.
    void settle() {
        for (int i = 0; i < 3; ++i) {
            context.restart();
            context.poll();
        }
        // The sink's thread may have been in the strand meanwhile: what waited for that is done, too.
        test::run(context, tracker.status());
    }

    template <class Done>
    void until(Done done) {
        test::run_until(context, done);
    }

    // Is in the backlog when it returns.
    answer track(std::size_t events, clock::time_point admit_by = clock::time_point::min()) {
        auto started = test::start(context, tracker.track(test::make_batch(events), admit_by));
        settle();
        return started;
    }

    error_code track_to_end(std::size_t events) {
        return test::run(context, tracker.track(test::make_batch(events)));
    }

    error_code get(const answer& from) {
        until([&] { return from->ended(); });
        return from->get();
    }

    error_code post_to_lane(std::size_t events) {
        const auto mark = lane.mark();
        for (std::size_t i = 0; i < events; ++i)
            lane.events().append(test::make_event("from the lane"));
        return lane.admit(mark);
    }

    tracker_status status() {
        auto now = test::run(context, tracker.status());
        check_books(now);
        return now;
    }

    static void check_books(const tracker_status& status) {
        for (const auto& sink : status.sinks)
            CHECK(
                sink.accepted == sink.delivered + sink.pending + sink.filtered + sink.dead_lettered +
                                     sink.skipped + sink.damaged + sink.lost
            );
    }

    std::shared_ptr<test::outcome<drain_report>> start_drain(clock::duration within = 5s) {
        drained = true;
        return test::start(context, tracker.drain(clock.now() + within));
    }

    drain_report drain() {
        const auto report = start_drain();
        tracker.hurry();
        until([&] { return report->ended(); });
        check_books(report->get().books);
        return report->get();
    }

    asio::io_context context;
    test::manual_clock clock;
    std::shared_ptr<test::fake_sink_script> script = std::make_shared<test::fake_sink_script>();
    std::unique_ptr<test::fake_backlog> made;
    test::fake_backlog* store;
    trackd::tracker tracker;
    trackd::lane& lane;
    bool kept_before_strand = false;
    bool drained = false;
};

struct delivered_tracker : journal_tracker {
    delivered_tracker() : journal_tracker{with_ack(ack_mode::delivered)} {}
};

struct accepted_tracker : journal_tracker {
    accepted_tracker() : journal_tracker{with_ack(ack_mode::accepted)} {}
};

boost::asio::awaitable<bool> watch(tracker& which) {
    try {
        co_await which.watch();
    } catch (const std::runtime_error&) {
        co_return true; // which is what the backlog's failure throws
    }
    co_return false;
}

} // namespace

TEST_CASE_METHOD(
    journal_tracker, "journaled is acknowledged when it is stored, and not before", "[tracker]"
) {
    const auto first = track(2);
    const auto second = track(1);
    CHECK_FALSE(first->ended());
    CHECK(status().accepted == 3);
    CHECK(status().pending_events == 3);
    store->store_up_to(3);
    CHECK_FALSE(get(first));
    settle();
    CHECK_FALSE(second->ended());
    store->store();
    CHECK_FALSE(get(second));
    CHECK(status().pending_events == 0);
    CHECK(status().pending_bytes == 0);
}

TEST_CASE_METHOD(
    journal_tracker, "where sinks begin is written down before the strand has anything to do", "[tracker]"
) {
    CHECK(kept_before_strand);
}

TEST_CASE_METHOD(journal_tracker, "journaled does not wait for a sink", "[tracker]") {
    script->hold();
    const auto waiting = track(2);
    store->store();
    CHECK_FALSE(get(waiting));
    CHECK(status().sinks.front().pending == 2);
    CHECK(status().sinks.front().delivered == 0);
}

TEST_CASE_METHOD(journal_tracker, "who waits when the disk becomes full is told so", "[tracker]") {
    const auto stored = track(2);
    store->store();
    CHECK_FALSE(get(stored));
    const auto waiting = track(3);
    store->become(backlog_condition::full);
    CHECK(get(waiting) == errc::journal_full);
    const auto now = status();
    CHECK(now.condition == backlog_condition::full);
    CHECK(now.accepted == 2);
    CHECK(now.refused == 3);
    CHECK(now.pending_events == 0);
    CHECK(now.sinks.front().accepted == 2);
}

TEST_CASE_METHOD(journal_tracker, "only what is not stored fails on a full disk", "[tracker]") {
    const auto first = track(2);
    const auto second = track(3);
    store->store_up_to(3);
    store->become(backlog_condition::full);
    CHECK_FALSE(get(first));
    CHECK(get(second) == errc::journal_full);
    CHECK(status().accepted == 2);
}

TEST_CASE_METHOD(journal_tracker, "a full disk refuses at once, until there is room again", "[tracker]") {
    store->become(backlog_condition::full);
    settle();
    CHECK(track_to_end(2) == errc::journal_full);
    CHECK(post_to_lane(3) == errc::journal_full);
    CHECK(store->given() == 0);
    CHECK(status().accepted == 0);
    CHECK(status().refused == 5);

    store->become(backlog_condition::good);
    settle();
    const auto waiting = track(1);
    store->store();
    CHECK_FALSE(get(waiting));
    CHECK(status().accepted == 1);
    CHECK(status().refused == 5);
    until([this] { return tracker.delivered() == 1; });
}

TEST_CASE_METHOD(journal_tracker, "what was admitted just before the disk was full is refused", "[tracker]") {
    store->become(backlog_condition::full); // is told behind the next line
    REQUIRE_FALSE(post_to_lane(3));
    const auto waiting = test::start(context, lane.acknowledged());
    until([&] { return waiting->ended(); });
    CHECK(waiting->get() == errc::journal_full);
    CHECK(store->given() == 0);
    const auto now = status();
    CHECK(now.accepted == 0);
    CHECK(now.refused == 3);
    CHECK(now.pending_events == 0);
    CHECK(now.pending_bytes == 0);
}

TEST_CASE_METHOD(journal_tracker, "the books stay right over several full disks", "[tracker]") {
    script->hold();
    for (std::uint64_t round = 1; round <= 3; ++round) {
        const auto stored = track(2);
        store->store();
        CHECK_FALSE(get(stored));
        const auto dropped = track(5);
        CHECK(status().accepted == 2 * round + 5);
        store->become(backlog_condition::full);
        CHECK(get(dropped) == errc::journal_full);
        CHECK(track_to_end(1) == errc::journal_full);
        CHECK(status().accepted == 2 * round);
        CHECK(status().refused == 6 * round);
        CHECK(status().sinks.front().accepted == 2 * round);
        CHECK(status().sinks.front().pending == 2 * round);
        store->become(backlog_condition::good);
        settle();
        CHECK(status().accepted == 2 * round);
    }
    script->release();
    until([this] { return tracker.delivered() == 6; });
    CHECK(status().sinks.front().delivered == 6);
    const auto report = drain();
    CHECK(report.in_time);
    CHECK(report.delivered == 6);
    CHECK(report.lost == 0);
}

TEST_CASE("the books stay right on a full disk that an earlier process left events on", "[tracker]") {
    journal_tracker fixture{with_ack(ack_mode::journaled), 5};
    const auto dropped = fixture.track(2);
    fixture.store->become(backlog_condition::full);
    CHECK(fixture.get(dropped) == errc::journal_full);
    CHECK(fixture.status().accepted == 4);
    CHECK(fixture.status().refused == 2);
}

TEST_CASE_METHOD(journal_tracker, "a failed disk fails all who wait and all who come", "[tracker]") {
    const auto watching = test::start(context, watch(tracker));
    const auto waiting = track(2);
    CHECK_FALSE(watching->ended());
    store->become(backlog_condition::failed);
    CHECK(get(waiting) == errc::journal_failed);
    CHECK(track_to_end(1) == errc::journal_failed);
    CHECK(post_to_lane(1) == errc::journal_failed);
    until([&] { return watching->ended(); });
    CHECK(watching->get());
    CHECK(status().condition == backlog_condition::failed);
}

TEST_CASE_METHOD(journal_tracker, "a full disk is no reason to end", "[tracker]") {
    const auto watching = test::start(context, watch(tracker));
    store->become(backlog_condition::full);
    settle();
    CHECK_FALSE(watching->ended());
    drain();
    until([&] { return watching->ended(); });
    CHECK_FALSE(watching->get());
}

TEST_CASE_METHOD(journal_tracker, "a disk that takes too long is told as such", "[tracker]") {
    const auto waiting = track(1);
    until([this] { return clock.next() == 30s; });
    clock.advance(30s);
    CHECK(get(waiting) == errc::journal_slow);
    CHECK(status().accepted == 1); // it may still be stored
    store->store();
    until([this] { return tracker.delivered() == 1; });
}

TEST_CASE_METHOD(journal_tracker, "each waits for its own time", "[tracker]") {
    const auto first = track(1);
    until([this] { return clock.next() == 30s; });
    clock.advance(10s);
    const auto second = track(1);
    clock.advance(20s);
    CHECK(get(first) == errc::journal_slow);
    settle();
    CHECK_FALSE(second->ended());
    clock.advance(10s);
    CHECK(get(second) == errc::journal_slow);
}

TEST_CASE_METHOD(journal_tracker, "who waits for room is told when the disk becomes full", "[tracker]") {
    store->become(backlog_condition::full);
    settle();
    CHECK(get(track(1, clock.now() + 60s)) == errc::journal_full);
}

TEST_CASE("who waits for room in memory is told when the disk becomes full", "[tracker]") {
    auto options = with_ack(ack_mode::journaled);
    options.max_pending_events = 2;
    journal_tracker fixture{options};
    const auto first = fixture.track(2);
    const auto patient = fixture.track(1, fixture.clock.now() + 60s);
    CHECK_FALSE(patient->ended());
    fixture.store->become(backlog_condition::full);
    CHECK(fixture.get(first) == errc::journal_full);
    CHECK(fixture.get(patient) == errc::journal_full);
    CHECK(fixture.status().accepted == 0);
    CHECK(fixture.status().refused == 3);
}

TEST_CASE("who waits for room in memory is told of a full disk though nothing is dropped", "[tracker]") {
    auto options = with_ack(ack_mode::accepted);
    options.max_pending_events = 2;
    journal_tracker fixture{options};
    CHECK_FALSE(fixture.track_to_end(2));
    const auto patient = fixture.track(1, fixture.clock.now() + 60s);
    CHECK_FALSE(patient->ended());
    fixture.store->become(backlog_condition::full, true);
    CHECK(fixture.get(patient) == errc::journal_full);
}

TEST_CASE("who waits for room in memory gets it when events are stored", "[tracker]") {
    auto options = with_ack(ack_mode::journaled);
    options.max_pending_events = 2;
    journal_tracker fixture{options};
    const auto first = fixture.track(2);
    CHECK(fixture.track_to_end(1) == errc::backlog_full);
    const auto patient = fixture.track(1, fixture.clock.now() + 60s);
    fixture.script->hold(); // no sink is needed for it
    fixture.store->store();
    CHECK_FALSE(fixture.get(first));
    fixture.until([&] { return fixture.store->given() == 3; });
    fixture.store->store();
    CHECK_FALSE(fixture.get(patient));
}

TEST_CASE("a batch that the backlog could never take is refused for good", "[tracker]") {
    auto made = std::make_unique<test::fake_backlog>();
    const auto bytes = test::make_batch(1).bytes();
    made->take_batches_up_to(2 * bytes);
    asio::io_context context;
    test::manual_clock clock;
    std::vector<sink_spec> sinks(1);
    sinks[0].name = "fake";
    sinks[0].sink = std::make_unique<test::fake_sink>(std::make_shared<test::fake_sink_script>());
    made->store_always();
    tracker tracker{
        context.get_executor(), with_ack(ack_mode::journaled), std::move(made), std::move(sinks), clock
    };
    tracker.start();
    CHECK_FALSE(test::run(context, tracker.track(test::make_batch(2))));
    CHECK(test::run(context, tracker.track(test::make_batch(3))) == errc::too_large);
    const auto drained = test::start(context, tracker.drain(clock.now() + 5s));
    test::run_until(context, [&] { return drained->ended(); });
    CHECK(drained->get().delivered == 2);
}

TEST_CASE_METHOD(delivered_tracker, "delivered waits for disk and sink", "[tracker]") {
    const auto waiting = track(2);
    settle();
    CHECK(script->attempts() == 0);
    store->store();
    CHECK_FALSE(get(waiting));
    CHECK(script->ids() == strings{"1", "2"});
}

TEST_CASE_METHOD(delivered_tracker, "with delivered a full disk fails only what is not stored", "[tracker]") {
    script->hold();
    const auto stored = track(2);
    store->store();
    until([this] { return script->attempts() == 1; });
    const auto dropped = track(3);
    store->become(backlog_condition::full);
    CHECK(get(dropped) == errc::journal_full);
    settle();
    CHECK_FALSE(stored->ended());
    CHECK(track_to_end(1) == errc::journal_full);
    CHECK(status().accepted == 2);
    CHECK(status().refused == 4);
    CHECK(status().sinks.front().pending == 2);
    script->release();
    CHECK_FALSE(get(stored));
    CHECK(status().sinks.front().delivered == 2);
}

TEST_CASE_METHOD(delivered_tracker, "with delivered a failed disk fails what is not stored", "[tracker]") {
    script->hold();
    const auto stored = track(2);
    store->store();
    const auto unknown = track(3);
    store->become(backlog_condition::failed);
    CHECK(get(unknown) == errc::journal_failed);
    settle();
    CHECK_FALSE(stored->ended());
    script->release();
    CHECK_FALSE(get(stored));
}

TEST_CASE_METHOD(
    accepted_tracker, "with accepted a full disk keeps what was taken, and delivers it", "[tracker]"
) {
    script->hold();
    CHECK_FALSE(track_to_end(2));
    store->become(backlog_condition::full, true);
    settle();
    CHECK(track_to_end(1) == errc::journal_full);
    CHECK(post_to_lane(1) == errc::journal_full);
    CHECK(status().accepted == 2);
    CHECK(status().refused == 2);
    CHECK(status().sinks.front().pending == 2);
    CHECK(status().pending_events == 2); // they are in memory until they are stored
    script->release();
    until([this] { return tracker.delivered() == 2; });
    CHECK(status().sinks.front().delivered == 2);
    store->store();
    store->become(backlog_condition::good);
    settle();
    CHECK(status().pending_events == 0);
    CHECK_FALSE(track_to_end(1));
}

TEST_CASE_METHOD(
    accepted_tracker, "with accepted what is in a lane when the disk is full is kept", "[tracker]"
) {
    store->become(backlog_condition::full, true); // is told behind the next line
    REQUIRE_FALSE(post_to_lane(3));
    until([this] { return tracker.delivered() == 3; });
    CHECK(status().accepted == 3);
    CHECK(status().refused == 0);
}

TEST_CASE_METHOD(accepted_tracker, "with accepted a failed disk ends the watch, too", "[tracker]") {
    const auto watching = test::start(context, watch(tracker));
    CHECK_FALSE(track_to_end(2));
    store->become(backlog_condition::failed, true);
    until([&] { return watching->ended(); });
    CHECK(watching->get());
    CHECK(track_to_end(1) == errc::journal_failed);
    until([this] { return tracker.delivered() == 2; });
}

TEST_CASE_METHOD(journal_tracker, "what is stored waits for the next start, and is not lost", "[tracker]") {
    script->fail_with("down");
    const auto waiting = track(3);
    store->store();
    CHECK_FALSE(get(waiting));
    const auto report = drain();
    CHECK(store->closed());
    CHECK_FALSE(report.in_time);
    CHECK(report.pending == 3);
    CHECK(report.lost == 0);
    CHECK(report.delivered == 0);
    CHECK(report.books.sinks.front().pending == 3);
}

TEST_CASE_METHOD(accepted_tracker, "what is not stored at the end is lost", "[tracker]") {
    script->fail_with("down");
    CHECK_FALSE(track_to_end(2));
    store->store();
    settle();
    CHECK_FALSE(track_to_end(3));
    const auto report = drain();
    CHECK(report.pending == 2);
    CHECK(report.lost == 3);
    CHECK(report.books.sinks.front().accepted == 5);
}

TEST_CASE_METHOD(journal_tracker, "what closing stores is acknowledged", "[tracker]") {
    store->store_on_close();
    const auto waiting = track(2);
    const auto report = start_drain();
    tracker.hurry();
    CHECK_FALSE(get(waiting));
    until([&] { return report->ended(); });
    CHECK(report->get().pending == 2);
    CHECK(report->get().lost == 0);
    check_books(report->get().books);
}

TEST_CASE_METHOD(journal_tracker, "what closing cannot store was too slow", "[tracker]") {
    const auto waiting = track(2);
    drain();
    CHECK(get(waiting) == errc::journal_slow);
}

TEST_CASE_METHOD(journal_tracker, "damage stands in the books", "[tracker]") {
    store->damage(2, 3);
    const auto waiting = track(6);
    store->store();
    CHECK_FALSE(get(waiting));
    until([this] { return tracker.delivered() == 6; });
    const auto sink = status().sinks.front();
    CHECK(sink.accepted == 6);
    CHECK(sink.delivered == 3);
    CHECK(sink.damaged == 3);
    const auto report = drain();
    CHECK(report.damaged == 3);
    CHECK(report.delivered == 3);
    CHECK(report.in_time);
}

TEST_CASE("the books go on where an earlier process ended", "[tracker]") {
    auto made = std::make_unique<test::fake_backlog>(10);
    made->put(test::make_batch(5, 10));
    made->store_always();
    asio::io_context context;
    test::manual_clock clock;
    const auto script = std::make_shared<test::fake_sink_script>();
    script->hold();
    std::vector<sink_spec> sinks(1);
    sinks[0].name = "fake";
    sinks[0].sink = std::make_unique<test::fake_sink>(script);
    tracker tracker{
        context.get_executor(), with_ack(ack_mode::journaled), std::move(made), std::move(sinks), clock
    };
    tracker.start();
    CHECK(tracker.delivered() == 9);
    CHECK(tracker.losses().accepted == 14);
    CHECK(tracker.losses().pending == 5);
    CHECK_FALSE(test::run(context, tracker.track(test::make_batch(2, 15))));
    const auto status = test::run(context, tracker.status());
    CHECK(status.accepted == 16);
    CHECK(status.sinks.front().accepted == 7); // from where it began
    CHECK(status.sinks.front().pending == 7);
    script->release();
    test::run_until(context, [&] { return tracker.delivered() == 16; });
    const auto drained = test::start(context, tracker.drain(clock.now() + 5s));
    test::run_until(context, [&] { return drained->ended(); });
    CHECK(drained->get().in_time);
    CHECK(drained->get().lost == 0);
    CHECK(script->ids().size() == 7);
}

TEST_CASE_METHOD(journal_tracker, "losses are what is promised and not stored", "[tracker]") {
    script->hold();
    const auto waiting = track(3);
    CHECK(tracker.losses().accepted == 3);
    CHECK(tracker.losses().pending == 0);
    CHECK(tracker.losses().lost == 0); // nobody was told that it is safe
    store->store();
    CHECK_FALSE(get(waiting));
    settle();
    CHECK(tracker.losses().pending == 3);
    CHECK(tracker.losses().lost == 0);
    script->release();
    until([this] { return tracker.delivered() == 3; });
    CHECK(tracker.losses().delivered == 3);
    CHECK(tracker.losses().pending == 0);
}

TEST_CASE_METHOD(accepted_tracker, "with accepted what is not stored would be lost", "[tracker]") {
    script->hold();
    CHECK_FALSE(track_to_end(2));
    store->store();
    settle();
    CHECK_FALSE(track_to_end(3));
    CHECK(tracker.losses().accepted == 5);
    CHECK(tracker.losses().pending == 2);
    CHECK(tracker.losses().lost == 3);
}

TEST_CASE_METHOD(journal_tracker, "when to come back is forecast from the backlog's room", "[tracker]") {
    store->store_always();
    CHECK(lane.retry_after() == 1s);
    store->need_for_room(2);
    settle();
    CHECK(lane.retry_after() >= 5s); // nothing moves
    CHECK(lane.retry_after() <= 7s);
    clock.advance(60s);
    CHECK(lane.retry_after() >= 10s);
    CHECK(lane.retry_after() <= 15s);
    CHECK_FALSE(track_to_end(1));
    until([this] { return tracker.delivered() == 1; });
    clock.advance(1s);
    CHECK_FALSE(track_to_end(10));
    until([this] { return tracker.delivered() == 11; }); // ten a second
    store->need_for_room(112);
    settle();
    CHECK(lane.retry_after() == 10s);
    store->need_for_room(12);
    settle();
    CHECK(lane.retry_after() == 1s);
}

TEST_CASE_METHOD(
    journal_tracker, "a delivery that ended by an exception rests on what is stored, and not on what is not",
    "[tracker]"
) {
    store->break_read();
    const auto waiting = track(3);
    until([&] { return status().sinks.front().failing; });
    CHECK(tracker.resting_on_work().empty());
    store->store();
    CHECK_FALSE(get(waiting));
    CHECK(tracker.resting_on_work() == std::vector<resting_delivery>{{"fake", 1}});
}

TEST_CASE_METHOD(
    journal_tracker, "a delivery that waits for its sink, or for the next attempt, does not rest", "[tracker]"
) {
    script->hold();
    const auto waiting = track(2);
    store->store();
    CHECK_FALSE(get(waiting));
    until([&] { return script->attempts() == 1; });
    CHECK(tracker.resting_on_work().empty());
    script->fail_with("down");
    script->release();
    until([&] { return status().sinks.front().failing; });
    CHECK(tracker.resting_on_work().empty());
    script->work();
    clock.advance(1s);
    until([&] { return status().sinks.front().pending == 0; });
    CHECK(tracker.resting_on_work().empty());
}
