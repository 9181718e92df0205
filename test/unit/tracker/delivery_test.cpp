#include "delivery_fixture.hpp"
#include "support/catch.hpp"

using namespace trackd;
using namespace std::chrono_literals;

using test::delivery_fixture;

TEST_CASE_METHOD(delivery_fixture, "events reach the sink in order, a batch a write", "[delivery]") {
    append(7);
    until([this] { return loop.place().at == 8; });
    CHECK(script->ids() == std::vector<std::string>{"1", "2", "3", "4", "5", "6", "7"});
    CHECK(loop.status().delivered == 7);
    CHECK(loop.status().batches == 3);
}

TEST_CASE_METHOD(delivery_fixture, "what a sink did not confirm comes again, and only that", "[delivery]") {
    script->confirm_at_most(2);
    append(3);
    until([this] { return loop.place().at == 4; });
    CHECK(script->ids() == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE_METHOD(
    delivery_fixture, "a failing write is tried again after a delay until it works", "[delivery]"
) {
    script->fail_with("no such table");
    append(2);
    until([this] { return clock.waiting() == 1 && script->attempts() == 1; });
    CHECK(clock.next() <= 100ms);
    CHECK(loop.status().failing);
    CHECK(loop.status().last_error == "no such table");
    CHECK(loop.status().delivered == 0);

    clock.advance(100ms);
    until([this] { return clock.waiting() == 1 && script->attempts() == 2; });
    script->work();
    clock.advance(200ms);
    until([this] { return loop.place().at == 3; });
    CHECK_FALSE(loop.status().failing);
    CHECK(loop.status().retries == 2);
    CHECK(script->ids() == std::vector<std::string>{"1", "2"});
}

TEST_CASE_METHOD(delivery_fixture, "new events do not cut a retry's delay short", "[delivery]") {
    script->fail_with("down");
    append(1);
    until([this] { return clock.waiting() == 1 && script->attempts() == 1; });
    append(1);
    until([this] { return clock.waiting() == 1; });
    CHECK(script->attempts() == 1);
}

TEST_CASE_METHOD(delivery_fixture, "whatever a sink throws is a failed write", "[delivery]") {
    script->throw_a_number();
    append(1);
    until([this] { return clock.waiting() == 1 && script->attempts() == 1; });
    CHECK(loop.status().failing);
    CHECK_FALSE(loop.status().last_error.empty());
}

TEST_CASE_METHOD(
    delivery_fixture, "a sink that confirms more than it was given is not believed", "[delivery]"
) {
    script->confirm_too_many();
    append(1);
    until([this] { return clock.waiting() == 1 && script->attempts() == 1; });
    CHECK(loop.status().failing);
    CHECK(loop.place().at == 1);
}

TEST_CASE_METHOD(
    delivery_fixture, "a drain ends when everything is delivered and the sink is closed", "[delivery]"
) {
    append(5);
    loop.begin_drain();
    until([this] { return tasks.size() == 0; });
    CHECK(loop.status().delivered == 5);
    CHECK(script->closed());
}

TEST_CASE_METHOD(delivery_fixture, "a drain does not wait for a retry's delay", "[delivery]") {
    script->fail_with("down");
    append(1);
    until([this] { return clock.waiting() == 1 && script->attempts() == 1; });
    script->work();
    loop.begin_drain();
    until([this] { return tasks.size() == 0; });
    CHECK(loop.status().delivered == 1);
}

TEST_CASE_METHOD(delivery_fixture, "giving up ends a write that hangs, and closes the sink", "[delivery]") {
    script->hold();
    append(1);
    until([this] { return script->attempts() == 1; });
    loop.give_up();
    until([this] { return tasks.size() == 0; });
    CHECK(loop.status().delivered == 0);
    CHECK(script->closed());
}

TEST_CASE_METHOD(delivery_fixture, "a sink that has everything has no lag", "[delivery]") {
    append(3);
    until([this] { return loop.place().at == 4; });
    wall += 1h;
    const auto status = loop.status();
    CHECK(status.lag_bytes == 0);
    CHECK(status.lag == 0s);
    CHECK(status.caught_up_in == 0s);
}

TEST_CASE_METHOD(
    delivery_fixture, "the lag is what the sink has not confirmed, and how old that is", "[delivery]"
) {
    batch events;
    for (const auto* id : {"1", "2", "3", "4"}) {
        auto event = test::make_event(id);
        event.received_at = wall + std::chrono::minutes{events.events()};
        events.append(event);
    }
    script->hold();
    const auto bytes = events.bytes();
    store->append(std::move(events));
    loop.wake();
    until([this] { return script->attempts() == 1; });
    wall += 10min;
    clock.advance(10min);
    CHECK(loop.status().lag_bytes == bytes);
    CHECK(loop.status().lag == 10min);
    script->fail_with("down");
    script->release();
    until_it_waits_after(1);
    CHECK(loop.status().lag == 10min);

    script->work();
    script->refuse({"3"});
    script->name_the_refused();
    clock.advance(100ms);
    until_it_waits_after(2);
    CHECK(loop.place().at == 3);
    CHECK(loop.status().lag_bytes == bytes / 2);
    CHECK(loop.status().lag == 10min); // they came together, whatever they say themselves
}

TEST_CASE_METHOD(
    delivery_fixture, "an event is as old as its wait, whatever the wall clock says", "[delivery]"
) {
    append(3);
    until([this] { return loop.place().at == 4; });
    script->hold();
    append(1); // whose received_at is an hour ago
    until([this] { return script->attempts() == 2; });
    CHECK(loop.status().lag == 0s);
    clock.advance(60s);
    CHECK(loop.status().lag == 60s);
    wall += std::chrono::days{400};
    CHECK(loop.status().lag == 60s);
    wall -= std::chrono::days{800};
    CHECK(loop.status().lag == 60s);
}

TEST_CASE_METHOD(
    delivery_fixture, "a sink that fails says since when, and not when it has caught up", "[delivery]"
) {
    CHECK(loop.failing_since() == wakeup::never);
    script->fail_with("down");
    append(4);
    const auto begin = clock.now();
    until_it_waits_after(1);
    clock.advance(100ms);
    until_it_waits_after(2);
    clock.advance(5s);
    until_it_waits_after(3);
    CHECK(loop.failing_since() == begin);
    CHECK(loop.status().failing_for == 5s);
    CHECK_FALSE(loop.status().caught_up_in);

    script->work();
    clock.advance(5s);
    until([this] { return loop.place().at == 5; });
    CHECK(loop.failing_since() == wakeup::never);
    CHECK(loop.status().failing_for == 0s);
    CHECK(loop.status().caught_up_in == 0s);
}

TEST_CASE_METHOD(delivery_fixture, "a sink that gets nearer says when it has caught up", "[delivery]") {
    append(3);
    until([this] { return loop.place().at == 4; });
    append(300);
    until([this] { return loop.place().at == 304; });
    script->hold();
    append(3);
    until([this] { return script->attempts() == 102; });
    CHECK_FALSE(loop.status().caught_up_in);
    clock.advance(1s);
    script->release();
    until([this] { return loop.place().at == 307; });
    CHECK(loop.status().caught_up_in == 0s);
}

TEST_CASE_METHOD(
    delivery_fixture, "a sink whose failed events were skipped is not called failing", "[delivery]"
) {
    script->fail_with("down");
    append(3);
    until_it_waits_after(1);
    loop.skip_to(4);
    CHECK(loop.status().failing);
    clock.advance(100ms);
    until([this] { return !loop.status().failing; });
    append(1);
    until_it_waits_after(2);
    CHECK(loop.failing_since() == clock.now());
}

TEST_CASE_METHOD(
    delivery_fixture, "the sink's bookmark goes into the cursor with what it has confirmed", "[delivery]"
) {
    script->count_in_bookmarks();
    script->confirm_at_most(2);
    append(5);
    until([this] { return loop.place().at == 6; });
    CHECK(loop.place().bookmark == "5");
    for (const auto& place : moves)
        CHECK(place.bookmark == std::to_string(place.at - 1));
    CHECK(moves.size() == 3);
}

TEST_CASE_METHOD(delivery_fixture, "a write that fails leaves the bookmark as it was", "[delivery]") {
    script->count_in_bookmarks();
    append(2);
    until([this] { return loop.place().at == 3; });
    script->give_bookmark("elsewhere");
    script->fail_with("down");
    append(1);
    until_it_waits_after(2);
    CHECK(loop.place().bookmark == "2");
}

TEST_CASE_METHOD(delivery_fixture, "a bookmark that cannot be kept is a failed write", "[delivery]") {
    script->give_bookmark("two words");
    append(1);
    until_it_waits_after(1);
    CHECK(loop.place().at == 1);
    CHECK(loop.place().bookmark.empty());
    CHECK(
        loop.status().last_error ==
        "the sink gave a bookmark that cannot be kept; expected small letters, digits, colons, dots and "
        "hyphens, at most 64"
    );
}

TEST_CASE_METHOD(
    delivery_fixture, "what others write to the sink moves its bookmark, and not its place", "[delivery]"
) {
    script->count_in_bookmarks();
    append(2);
    until([this] { return loop.place().at == 3; });
    const auto letter = test::make_event("letter");
    std::optional<bool> done;
    tasks.spawn(
        "another",
        [](delivery& to, const event_view& event,
           std::optional<bool>& ended) -> boost::asio::awaitable<void> {
            std::function<void(sink&, std::stop_token)> work = [&event](sink& fake, std::stop_token stop) {
                static_cast<void>(fake.write({&event, 1}, stop));
            };
            ended = co_await to.with_sink(std::move(work));
        }(loop, letter, done)
    );
    until([&] { return done.has_value(); });
    CHECK(loop.place().at == 3);
    CHECK(loop.place().bookmark == "3");
    CHECK(moves.back().bookmark == "3");
}

TEST_CASE("a sink goes on at the bookmark that was kept, before its first write", "[delivery]") {
    delivery_fixture kept{[](delivery_fixture&, sink_spec&) {}, {}, "12:34"};
    kept.append(1);
    kept.until([&] { return kept.loop.place().at == 2; });
    CHECK(kept.script->resumed_at() == "12:34");
}

TEST_CASE_METHOD(delivery_fixture, "a sink without a bookmark is not told to go on at one", "[delivery]") {
    append(1);
    until([this] { return loop.place().at == 2; });
    CHECK(script->resumed_at() == "never");
}

TEST_CASE_METHOD(
    delivery_fixture, "a delivery rests until it is told of something, and while it is not told", "[delivery]"
) {
    until([this] { return loop.rests_at() == 1; });
    store->append(test::make_batch(2, store->end()));
    CHECK(loop.rests_at() == 1);
    script->hold();
    loop.wake();
    until([this] { return script->attempts() == 1; });
    CHECK_FALSE(loop.rests_at());
    script->fail_with("down");
    script->release();
    until_it_waits_after(1);
    CHECK_FALSE(loop.rests_at());
    script->work();
    clock.advance(100ms);
    until([this] { return loop.rests_at() == 3; });
}
