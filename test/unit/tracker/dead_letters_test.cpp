// What a delivery does with events that its sink will never take, or does not want.
#include "delivery_fixture.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <map>

using namespace trackd;
using namespace std::chrono_literals;
using test::delivery_fixture;

namespace {

using strings = std::vector<std::string>;

struct with_letters : delivery_fixture {
    explicit with_letters(std::size_t batch = 1000, retry_options retry = {})
        : delivery_fixture{
              [batch](delivery_fixture& in, sink_spec& spec) {
                  spec.batch.events = batch;
                  spec.dead_letters = std::make_unique<test::fake_dead_letters>(in.letters);
              },
              retry
          } {}
};

struct for_ten_seconds : with_letters {
    for_ten_seconds() : with_letters{2, {100ms, 1'000ms, 10s}} {}
};

struct of_orders : delivery_fixture {
    of_orders()
        : delivery_fixture{[](delivery_fixture& in, sink_spec& spec) {
              spec.batch.events = 4;
              spec.wanted.types = patterns{{"order.*"}};
              spec.dead_letters = std::make_unique<test::fake_dead_letters>(in.letters);
          }} {}

    /// Ids are positions.
    void append_types(const strings& types) {
        batch events;
        for (std::size_t i = 0; i < types.size(); ++i) {
            const auto id = std::to_string(store->end() + i);
            auto event = test::make_event(id);
            event.type = types[i];
            events.append(event);
        }
        store->append(std::move(events));
        loop.wake();
    }
};

} // namespace

TEST_CASE_METHOD(
    with_letters, "an event that the sink refuses is found and put aside, the others arrive", "[dead]"
) {
    script->refuse({"7"});
    append(20);
    until([this] { return loop.place().at == 21; });
    CHECK(dead() == strings{"7"});
    CHECK(letters->all()[0].reason == "one of them is bad");
    CHECK(script->ids().size() == 19);
    CHECK(loop.status().dead_lettered == 1);
    CHECK(loop.status().delivered == 19);
    CHECK_FALSE(loop.status().failing);
}

TEST_CASE_METHOD(
    with_letters, "a sink that knows the bad event is not asked for the others again", "[dead]"
) {
    script->refuse({"7", "9"});
    script->name_the_refused();
    append(20);
    until([this] { return loop.place().at == 21; });
    CHECK(dead() == strings{"7", "9"});
    CHECK(letters->all()[0] == test::kept_letters::letter{"7", "this one is bad", 1});
    CHECK(script->attempts() == 3);
}

TEST_CASE_METHOD(
    with_letters, "an event is isolated whatever its error is called, and the others arrive once", "[dead]"
) {
    script->fail_on({"7"}, "malformed JSON");
    append(40);
    for (int round = 0; loop.place().at != 41; ++round) {
        REQUIRE(round < 100);
        until([this] { return clock.waiting() == 1 || loop.place().at == 41; });
        CHECK(loop.status().delivered + loop.status().dead_lettered <= 40);
        clock.advance(1min);
    }
    CHECK(dead() == strings{"7"});
    CHECK(letters->all()[0].reason == "malformed JSON");
    auto ids = script->ids();
    CHECK(ids.size() == 39);
    CHECK(std::ranges::is_sorted(ids, {}, [](const auto& id) { return std::stoi(id); }));
    CHECK(loop.status().delivered == 39);
    CHECK_FALSE(loop.status().failing);
}

TEST_CASE_METHOD(
    with_letters, "a sink that keeps an order gets the events of one key in order, whenever it is mended",
    "[dead]"
) {
    const auto rounds = GENERATE(range(1, 16));
    CAPTURE(rounds);
    script->keep_order_by_remainder_of(3);
    script->fail_on({"1"}, "no leader");
    append(40);
    for (int round = 0; loop.place().at != 41; ++round) {
        REQUIRE(round < 100);
        if (round == rounds) script->fail_on({}, "");
        until([this] { return clock.waiting() == 1 || loop.place().at == 41; });
        clock.advance(1min);
    }
    std::map<int, std::vector<int>> by_key;
    for (const auto& id : script->ids())
        by_key[std::stoi(id) % 3].push_back(std::stoi(id));
    for (const auto& [key, ids] : by_key)
        CHECK(std::ranges::is_sorted(ids));
    CHECK(script->ids().size() + dead().size() == 40);
}

TEST_CASE_METHOD(
    with_letters, "a sink that keeps one order for all events waits for what may mend itself", "[dead]"
) {
    script->keep_order_by_remainder_of(1);
    script->fail_on({"1"}, "no leader");
    append(40);
    for (int round = 0; round < 20; ++round) {
        until([this] { return clock.waiting() == 1; });
        clock.advance(1min);
    }
    CHECK(script->ids().empty());
    CHECK(dead().empty());
    until([this] { return clock.waiting() == 1; });
    script->fail_on({}, "");
    clock.advance(1min);
    until([this] { return loop.place().at == 41; });
    CHECK(std::ranges::is_sorted(script->ids(), {}, [](const auto& id) { return std::stoi(id); }));
}

TEST_CASE_METHOD(
    with_letters, "a sink that rejects everything makes no dead letters, waits, and says so", "[dead]"
) {
    script->reject_everything(true);
    append(500);
    for (int round = 0; round < 20; ++round) {
        until([this] { return clock.waiting() == 1; });
        clock.advance(1min);
    }
    until([this] { return clock.waiting() == 1; });
    CHECK(dead().empty());
    CHECK(loop.status().rejecting_all);
    CHECK(loop.status().all_rejected >= 20);
    CHECK(loop.status().failing);
    CHECK(
        loop.status().last_error ==
        "the destination rejects every event that was tried, so all events wait: no"
    );
    script->reject_everything(false);
    clock.advance(1min);
    until([this] { return loop.place().at == 501; });
    CHECK(dead().empty());
    CHECK(script->ids().size() == 500);
    CHECK_FALSE(loop.status().rejecting_all);
}

TEST_CASE_METHOD(with_letters, "a single event that is rejected waits until another one passes", "[dead]") {
    script->refuse({"1"});
    append(1);
    until_it_waits_after(1);
    CHECK(dead().empty());
    CHECK(loop.status().last_error.find("no other event is pending") != std::string::npos);
    append(1); // needs no time to pass
    until([this] { return loop.place().at == 3; });
    CHECK(dead() == strings{"1"});
    CHECK(script->ids() == strings{"2"});
}

TEST_CASE_METHOD(
    with_letters, "a pass of long ago does not make a dead letter when the destination breaks later", "[dead]"
) {
    script->refuse({"1"});
    append(2);
    until([this] { return loop.place().at == 3; });
    CHECK(dead() == strings{"1"});
    script->reject_everything(true);
    append(1);
    for (int round = 0; round < 5; ++round) {
        until([this] { return clock.waiting() == 1 && loop.status().failing; });
        clock.advance(1min);
    }
    CHECK(dead() == strings{"1"});
    script->reject_everything(false);
    clock.advance(1min);
    until([this] { return loop.place().at == 4; });
}

TEST_CASE_METHOD(
    of_orders, "an event is compared with a wanted one, however far behind it that is", "[dead][route]"
) {
    script->refuse({"1"});
    strings types{"order.bad"};
    types.resize(301, "page");
    types.emplace_back("order.good");
    append_types(types);
    until([this] { return loop.place().at == 303; });
    CHECK(dead() == strings{"1"});
    CHECK(script->ids() == strings{"302"});
    CHECK(loop.status().filtered == 300);
}

TEST_CASE_METHOD(
    with_letters, "what would be lost with the memory backlog becomes a dead letter in the drain", "[dead]"
) {
    script->refuse({"1"});
    append(1);
    until_it_waits_after(1);
    loop.begin_drain();
    until([this] { return tasks.size() == 0; });
    CHECK(dead() == strings{"1"});
    CHECK(loop.status().dead_lettered == 1);
}

TEST_CASE_METHOD(
    with_letters, "events that are skipped after a probe has stored them count as delivered", "[dead]"
) {
    letters->be_full(); // so that the rejected event stays
    script->refuse({"1"});
    append(4);
    until([this] { return clock.waiting() == 1 && !script->ids().empty(); });
    const auto stored = script->ids().size();
    loop.skip_to(5);
    CHECK(loop.place().delivered() == stored);
    CHECK(loop.place().skipped == 4 - stored);
}

TEST_CASE_METHOD(
    delivery_fixture, "without a place for dead letters a refusal is a failure like any other", "[dead]"
) {
    script->refuse({"1"});
    append(2);
    until_it_waits_after(1);
    CHECK(loop.status().failing);
    CHECK(loop.status().last_error == "one of them is bad");
    script->refuse({});
    clock.advance(200ms);
    until([this] { return loop.place().at == 3; });
}

TEST_CASE_METHOD(
    with_letters, "when no more dead letters can be kept the sink waits, and says so, nothing is dropped",
    "[dead]"
) {
    letters->be_full();
    script->refuse({"1"});
    append(2);
    until_it_waits_after(4); // both, the first one, the second one, and the first one again
    CHECK(loop.status().failing);
    CHECK(loop.status().last_error == "cannot store dead letter (rejected: one of them is bad): no room");
    CHECK(loop.place().at == 1);

    letters->make_room();
    clock.advance(200ms);
    until([this] { return loop.place().at == 3; });
    CHECK(dead() == strings{"1"});
    CHECK(script->ids() == strings{"2"});
}

TEST_CASE_METHOD(
    for_ten_seconds, "what has failed for longer than retry.max_age becomes dead letters", "[dead]"
) {
    script->fail_with("down");
    append(3);
    until_it_waits_after(1);
    for (std::size_t attempts = 1; dead().empty(); ++attempts) {
        REQUIRE(attempts < 100);
        clock.advance(1s);
        until([this, attempts] {
            return script->attempts() > attempts && (clock.waiting() == 1 || !dead().empty());
        });
    }
    CHECK(dead() == strings{"1", "2"});
    CHECK(letters->all()[0].reason == "down");
    CHECK(letters->all()[0].attempts >= 10);
    script->work();
    clock.advance(1s);
    until([this] { return loop.place().at == 4; });
    CHECK(script->ids() == strings{"3"});
    CHECK(loop.status().dead_lettered == 2);
}

TEST_CASE_METHOD(
    with_letters, "a sink whose bad event could be put aside at last does not fail any more", "[dead]"
) {
    letters->be_full();
    script->refuse({"1"});
    append(2);
    until_it_waits_after(4);
    CHECK(loop.status().failing);
    letters->make_room();
    clock.advance(200ms);
    until([this] { return loop.place().at == 3; });
    CHECK_FALSE(loop.status().failing);
}

TEST_CASE_METHOD(
    for_ten_seconds, "what was passed over does not count against what comes after it", "[dead]"
) {
    script->fail_with("down");
    append(4);
    until_it_waits_after(1);
    clock.advance(9s);
    until_it_waits_after(2);
    loop.skip_to(3);
    clock.advance(2s);
    until_it_waits_after(3);
    CHECK(dead().empty());
}

TEST_CASE_METHOD(delivery_fixture, "a sink that says when to come again is not asked before", "[dead]") {
    script->be_busy(17s);
    append(1);
    until_it_waits_after(1);
    CHECK(clock.next() == 17s);
    CHECK(loop.status().last_error == "too many requests");
}

TEST_CASE_METHOD(of_orders, "a sink gets what its route wants, and the rest counts as filtered", "[route]") {
    append_types({"page", "order.created", "page", "order.paid", "page", "page", "page", "page", "page"});
    until([this] { return loop.place().at == 10; });
    CHECK(script->ids() == strings{"2", "4"});
    CHECK(script->attempts() == 1); // nothing is written of a chunk without any
    CHECK(loop.status().filtered == 7);
    CHECK(loop.status().delivered == 2);
}

TEST_CASE_METHOD(of_orders, "what is not wanted is passed with what comes behind it", "[route]") {
    script->fail_with("down");
    append_types({"page", "order.created", "page"});
    until_it_waits_after(1);
    CHECK(loop.place().at == 1);
    script->work();
    clock.advance(200ms);
    until([this] { return loop.place().at == 4; });
    CHECK(loop.status().filtered == 2);
}

TEST_CASE_METHOD(of_orders, "a dead letter among what is not wanted is counted once", "[route]") {
    script->refuse({"3"});
    append_types({"page", "order.a", "order.b", "page"});
    until([this] { return loop.place().at == 5; });
    const auto& place = loop.place();
    CHECK(place.filtered == 2);
    CHECK(place.dead_lettered == 1);
    CHECK(place.delivered() == 1);
}

TEST_CASE_METHOD(delivery_fixture, "a sink can be made to pass over events while it hangs", "[skip]") {
    script->hold();
    append(6);
    until([this] { return script->attempts() == 1; });
    loop.skip_to(6);
    CHECK(loop.place().at == 6);
    CHECK(loop.place().skipped == 5);
    script->release();
    until([this] { return loop.place().at == 7; });
    // The three that it was given before have arrived all the same.
    CHECK(script->ids() == strings{"1", "2", "3", "6"});
    CHECK(loop.place().skipped == 2);
    CHECK(loop.place().delivered() == 4);
}

TEST_CASE_METHOD(delivery_fixture, "what is passed over while it fails is not written any more", "[skip]") {
    script->fail_with("down");
    append(6);
    until_it_waits_after(1);
    loop.skip_to(3);
    script->work();
    clock.advance(200ms);
    until([this] { return loop.place().at == 7; });
    CHECK(script->ids() == strings{"3", "4", "5", "6"});
    CHECK(loop.place().skipped == 2);
}
