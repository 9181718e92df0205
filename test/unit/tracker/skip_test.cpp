// What a sink that is not required costs the others when it hangs: nothing, if it may be passed over.
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

namespace {

struct two_sinks {
    explicit two_sinks(when_full policy) {
        std::vector<sink_spec> specs;
        specs.push_back(spec("good", good));
        specs.push_back(spec("hangs", hangs));
        specs.back().required = false;
        specs.back().when_full = policy;
        hangs->hold();
        tracker_options options;
        options.max_pending_events = 10;
        tracked.emplace(context.get_executor(), options, make_memory_backlog(), std::move(specs), time);
        way = &tracked->add_lane(context);
        tracked->start();
    }

    ~two_sinks() {
        hangs->release();
        test::run(context, tracked->drain(time.now()));
    }

    static sink_spec spec(const std::string& name, const std::shared_ptr<test::fake_sink_script>& script) {
        sink_spec made;
        made.name = name;
        made.kind = "fake";
        made.sink = std::make_unique<test::fake_sink>(script);
        return made;
    }

    /// @return whether it was admitted
    bool send(std::size_t count) {
        const auto before = way->mark();
        for (std::size_t i = 0; i < count; ++i)
            way->events().append(test::make_event(std::to_string(++sent)));
        return !way->admit(before);
    }

    void until_good_has(std::size_t count) {
        test::run_until(context, [this, count] { return good->ids().size() == count; });
    }

    sink_status books(const std::string& name) {
        const auto all = test::run(context, tracked->status());
        for (const auto& one : all.sinks)
            if (one.name == name) return one;
        throw std::logic_error{"no such sink"};
    }

    asio::io_context context;
    test::manual_clock time;
    std::shared_ptr<test::fake_sink_script> good = std::make_shared<test::fake_sink_script>();
    std::shared_ptr<test::fake_sink_script> hangs = std::make_shared<test::fake_sink_script>();
    std::optional<tracker> tracked;
    lane* way = nullptr;
    std::size_t sent = 0;
};

struct may_skip : two_sinks {
    may_skip() : two_sinks{when_full::skip} {}
};

struct blocks : two_sinks {
    blocks() : two_sinks{when_full::block} {}
};

} // namespace

TEST_CASE_METHOD(
    blocks, "a sink that hangs, and may not be passed over, stops the intake at the bound", "[skip]"
) {
    REQUIRE(send(6));
    until_good_has(6);
    REQUIRE(send(4));
    until_good_has(10);
    CHECK_FALSE(send(1));
    context.poll();
    CHECK_FALSE(send(1));
    CHECK(books("hangs").skipped == 0);
}

TEST_CASE_METHOD(
    may_skip, "a sink that may be passed over makes room, and what it misses is counted", "[skip]"
) {
    REQUIRE(send(6));
    until_good_has(6);
    REQUIRE(send(4));
    until_good_has(10);
    CHECK_FALSE(send(1)); // who comes first finds it full
    test::run_until(context, [this] { return books("hangs").skipped == 6; });
    CHECK(send(1));
    until_good_has(11);
    const auto hanging = books("hangs");
    CHECK(hanging.accepted == 11);
    CHECK(hanging.skipped == 6);
    CHECK(hanging.pending == 5);
    CHECK(books("good").delivered == 11);
}

TEST_CASE_METHOD(may_skip, "room is made for more than the next request", "[skip]") {
    for (int i = 0; i < 10; ++i) // each a batch of its own
        REQUIRE((send(1), until_good_has(static_cast<std::size_t>(i) + 1), true));
    CHECK_FALSE(send(1));
    test::run_until(context, [this] { return books("hangs").skipped > 0; });
    CHECK(books("hangs").skipped == 1); // an eighth of ten
}

TEST_CASE_METHOD(may_skip, "nothing is passed over while that would make no room", "[skip]") {
    good->hold();
    REQUIRE(send(10));
    CHECK_FALSE(send(1));
    context.poll();
    CHECK_FALSE(send(1));
    CHECK(books("hangs").skipped == 0);
    good->release();
}

TEST_CASE_METHOD(may_skip, "a paused sink skips like a slow one where room is wanted", "[skip]") {
    hangs->release();
    REQUIRE(test::run(context, tracked->control_sink("hangs", sink_action::pause)).changed);
    REQUIRE(send(6));
    until_good_has(6);
    REQUIRE(send(4));
    until_good_has(10);
    CHECK_FALSE(send(1));
    test::run_until(context, [this] { return books("hangs").skipped == 6; });
    CHECK(send(1));
    until_good_has(11);
    CHECK(hangs->attempts() == 0);
    REQUIRE(test::run(context, tracked->control_sink("hangs", sink_action::resume)).changed);
    test::run_until(context, [this] { return books("hangs").delivered == 5; });
    CHECK(books("hangs").pending == 0);
}
