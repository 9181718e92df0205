// What an operator asks of one sink: to pause, to go on, to try now, to skip what is pending.
#include "delivery_fixture.hpp"
#include "support/catch.hpp"
#include "support/fake_backlog.hpp"

#include <trackd/lane.hpp>

using namespace trackd;
using namespace std::chrono_literals;
using test::delivery_fixture;

namespace {

using strings = std::vector<std::string>;
using result = sink_control_result;

struct controlled : delivery_fixture {
    explicit controlled(retry_options retry = {}, bool keeps_letters = false)
        : delivery_fixture{
              [keeps_letters](delivery_fixture& in, sink_spec& spec) {
                  if (keeps_letters)
                      spec.dead_letters = std::make_unique<test::fake_dead_letters>(in.letters);
              },
              retry
          } {}

    void ask(sink_action action) { CHECK(loop.control(action).result == result::done); }

    void until_it_waits() {
        until([this] { return clock.waiting() == 1; });
    }

    void pause() {
        CHECK(loop.control(sink_action::pause).changed);
        until_it_waits();
    }

    void fail_until_it_waits() {
        script->fail_with("down");
        append(2);
        until_it_waits_after(1);
    }
};

struct patient : controlled {
    patient() : controlled{{1h, 1h, 0ms}} {}
};

struct for_ten_seconds : controlled {
    for_ten_seconds() : controlled{{1h, 1h, 10s}, true} {}
};

} // namespace

TEST_CASE_METHOD(
    controlled, "a paused sink is written nothing, and gets all of it in order later", "[control]"
) {
    append(2);
    until([this] { return loop.place().at == 3; });
    pause();
    append(5);
    until_it_waits();
    clock.advance(1min);
    until_it_waits();
    CHECK(script->ids() == strings{"1", "2"});
    auto status = loop.status();
    CHECK(status.paused);
    CHECK(status.paused_for == 60s);
    CHECK_FALSE(status.failing);
    CHECK_FALSE(status.caught_up_in);
    CHECK_FALSE(loop.rests_at());

    const auto resumed = loop.control(sink_action::resume);
    CHECK(resumed.changed);
    CHECK(resumed.events == 5);
    until([this] { return loop.place().at == 8; });
    CHECK(script->ids() == strings{"1", "2", "3", "4", "5", "6", "7"});
    status = loop.status();
    CHECK_FALSE(status.paused);
    CHECK(status.paused_for == 0s);
    CHECK(status.delivered == 7);
}

TEST_CASE_METHOD(controlled, "a pause lets the write under way come to its end", "[control]") {
    script->hold();
    append(5);
    until([this] { return script->attempts() == 1; });
    CHECK(loop.control(sink_action::pause).events == 5);
    script->release();
    until([this] { return loop.place().at == 4; });
    until_it_waits();
    CHECK(script->ids() == strings{"1", "2", "3"});
    CHECK(script->attempts() == 1);
}

TEST_CASE_METHOD(controlled, "a write that fails during a pause does not count as failing", "[control]") {
    script->hold();
    append(1);
    until([this] { return script->attempts() == 1; });
    ask(sink_action::pause);
    script->fail_with("down for maintenance");
    script->release();
    until([this] { return loop.status().last_error == "down for maintenance"; });
    until_it_waits();
    clock.advance(1h);
    until_it_waits();
    CHECK_FALSE(loop.status().failing);
    CHECK(script->attempts() == 1);
    script->work();
    ask(sink_action::resume);
    until([this] { return loop.place().at == 2; });
}

TEST_CASE_METHOD(patient, "a pause of a failing sink ends its failing and its delay", "[control]") {
    fail_until_it_waits();
    CHECK(loop.status().failing);
    pause();
    CHECK_FALSE(loop.status().failing);
    CHECK(loop.failing_since() == wakeup::never);
    ask(sink_action::resume);
    until_it_waits_after(2); // at once
    CHECK(loop.status().failing);
}

TEST_CASE_METHOD(controlled, "to pause or to resume twice changes nothing", "[control]") {
    CHECK_FALSE(loop.control(sink_action::resume).changed);
    pause();
    clock.advance(5s);
    const auto again = loop.control(sink_action::pause);
    CHECK(again.result == result::done);
    CHECK_FALSE(again.changed);
    CHECK(loop.status().paused_for == 5s);
    CHECK(loop.control(sink_action::resume).changed);
    CHECK_FALSE(loop.control(sink_action::resume).changed);
}

TEST_CASE_METHOD(patient, "a retry ends the present delay, and only that one", "[control]") {
    fail_until_it_waits();
    CHECK(loop.control(sink_action::retry).changed);
    until_it_waits_after(2);
    until_it_waits();
    CHECK(script->attempts() == 2);
    script->work();
    CHECK(loop.control(sink_action::retry).changed);
    until([this] { return loop.place().at == 3; });
    CHECK_FALSE(loop.control(sink_action::retry).changed);
    script->fail_with("down again");
    append(1);
    until_it_waits_after(4);
}

TEST_CASE_METHOD(controlled, "a paused sink is not tried", "[control]") {
    pause();
    append(1);
    CHECK(loop.control(sink_action::retry).result == result::paused);
    until_it_waits();
    CHECK(script->attempts() == 0);
}

TEST_CASE_METHOD(controlled, "upkeep goes on during a pause", "[control]") {
    append(1);
    until([this] { return loop.place().at == 2; });
    until_it_waits();
    pause();
    const auto before = script->upkeeps().size();
    clock.advance(1min);
    until([&] { return script->upkeeps().size() == before + 1; });
}

TEST_CASE_METHOD(for_ten_seconds, "a pause makes no dead letters", "[control]") {
    fail_until_it_waits();
    pause();
    clock.advance(1min);
    until_it_waits();
    ask(sink_action::resume);
    until_it_waits_after(2);
    CHECK(dead().empty());
    clock.advance(11s);
    ask(sink_action::retry);
    until([this] { return loop.place().at == 3; });
    CHECK(dead() == strings{"1", "2"});
}

TEST_CASE_METHOD(patient, "what is skipped is what is pending at that moment", "[control]") {
    fail_until_it_waits();
    script->work();
    const auto skipped = loop.control(sink_action::skip);
    CHECK(skipped.changed);
    CHECK(skipped.events == 2);
    CHECK(loop.status().skipped == 2);
    CHECK_FALSE(loop.control(sink_action::skip).changed);
    append(2);
    until([this] { return loop.place().at == 5; });
    CHECK(script->ids() == strings{"3", "4"});
    CHECK(loop.status().delivered == 2);
}

TEST_CASE_METHOD(controlled, "what arrives although it is skipped counts as delivered", "[control]") {
    script->hold();
    append(5);
    until([this] { return script->attempts() == 1; });
    CHECK(loop.control(sink_action::skip).events == 5);
    script->release();
    until([this] { return loop.status().delivered == 3; });
    CHECK(loop.status().skipped == 2);
    CHECK(script->ids() == strings{"1", "2", "3"});
}

TEST_CASE_METHOD(controlled, "a paused sink that skips stays paused", "[control]") {
    pause();
    append(3);
    until_it_waits();
    wall += 1h;
    clock.advance(1h);
    until_it_waits();
    CHECK(loop.status().lag == 1h);
    CHECK(loop.control(sink_action::skip).events == 3);
    until_it_waits();
    append(1);
    until_it_waits();
    CHECK(loop.status().lag == 0s);
    CHECK(loop.status().paused);
    CHECK(script->attempts() == 0);
}

TEST_CASE_METHOD(controlled, "a sink that is configured cannot be forgotten", "[control]") {
    CHECK(loop.control(sink_action::forget).result == result::configured);
}

TEST_CASE_METHOD(controlled, "a drain resumes a paused sink where its events would be lost", "[control]") {
    pause();
    append(4);
    loop.begin_drain();
    CHECK(loop.control(sink_action::pause).result == result::ending);
    until([this] { return tasks.size() == 0; });
    CHECK(script->ids() == strings{"1", "2", "3", "4"});
    CHECK(script->closed());
}

namespace {

struct paused_tracker {
    paused_tracker() { tracked.start(); }

    static std::vector<sink_spec> sinks(const std::shared_ptr<test::fake_sink_script>& script) {
        std::vector<sink_spec> made(1);
        made[0].name = "fake";
        made[0].kind = "fake";
        made[0].sink = std::make_unique<test::fake_sink>(script);
        return made;
    }

    static std::unique_ptr<backlog> durable() {
        auto made = std::make_unique<test::fake_backlog>();
        made->store_always();
        return made;
    }

    sink_control_report control(const std::string& sink, sink_action action) {
        return test::run(context, tracked.control_sink(sink, action));
    }

    boost::asio::io_context context;
    test::manual_clock clock;
    std::shared_ptr<test::fake_sink_script> script = std::make_shared<test::fake_sink_script>();
    tracker tracked{context.get_executor(), {}, durable(), sinks(script), clock};
};

} // namespace

TEST_CASE_METHOD(
    paused_tracker, "a drain leaves what a paused sink lacks in a durable backlog", "[control]"
) {
    CHECK(control("fake", sink_action::pause).changed);
    CHECK(tracked.paused("fake"));
    CHECK_FALSE(tracked.failing_for("fake"));
    CHECK_FALSE(test::run(context, tracked.track(test::make_batch(3))));
    CHECK(tracked.resting_on_work().empty());
    const auto report = test::run(context, tracked.drain(clock.now() + 1h));
    CHECK(report.pending == 3);
    CHECK(report.lost == 0);
    CHECK(script->attempts() == 0);
    CHECK(script->closed());
}

TEST_CASE_METHOD(paused_tracker, "an unknown sink gets the names there are", "[control]") {
    for (const auto action : {sink_action::pause, sink_action::forget}) {
        const auto report = control("other", action);
        CHECK(report.result == result::unknown_sink);
        CHECK(report.configured == strings{"fake"});
        CHECK(report.removed.empty());
    }
    CHECK_FALSE(tracked.paused("other"));
    test::run(context, tracked.drain(clock.now() + 1h));
    CHECK(control("fake", sink_action::pause).result == result::ending);
}
