// When a delivery calls its sink's upkeep, and what becomes of one that fails.
#include "delivery_fixture.hpp"
#include "support/captured_log.hpp"
#include "support/catch.hpp"

using namespace trackd;
using namespace std::chrono_literals;
using test::delivery_fixture;

namespace {

// Each upkeep as the number of writes that came before it.
using writes_before = std::vector<std::size_t>;

// The upkeep of the start is over.
struct idle_delivery : delivery_fixture {
    idle_delivery() { until_idle_after(1); }

    void until_idle_after(std::size_t upkeeps) {
        until([this, upkeeps] { return script->upkeeps().size() == upkeeps && clock.waiting() == 1; });
    }

    void fail_after_a_minute(const std::string& error) {
        script->fail_upkeep_with(error);
        const auto upkeeps = script->upkeeps().size();
        clock.advance(1min);
        until_idle_after(upkeeps + 1);
    }
};

} // namespace

TEST_CASE_METHOD(
    idle_delivery, "a sink without events gets its upkeep at the start, and then once a minute", "[upkeep]"
) {
    CHECK(clock.next() == 1min);
    clock.advance(1min);
    until_idle_after(2);
    CHECK(clock.next() == 1min);
}

TEST_CASE_METHOD(idle_delivery, "upkeep that is due comes between two writes", "[upkeep]") {
    script->hold();
    append(9);
    until([this] { return script->attempts() == 1; });
    clock.advance(1min);
    script->release();
    until([this] { return loop.place().at == 10; });
    CHECK(script->upkeeps() == writes_before{0, 1});
}

TEST_CASE_METHOD(
    delivery_fixture,
    "upkeep that has more to do comes once between two writes, and again where there is none", "[upkeep]"
) {
    script->need_upkeeps(6);
    append(9);
    until([this] { return script->upkeeps().size() == 6 && clock.waiting() == 1; });
    CHECK(script->upkeeps() == writes_before{1, 2, 3, 3, 3, 3});
    CHECK(clock.next() == 1min);
}

TEST_CASE_METHOD(delivery_fixture, "a sink that fails gets its upkeep between the attempts", "[upkeep]") {
    script->fail_with("full");
    append(1);
    until_it_waits_after(1);
    clock.advance(1s);
    until_it_waits_after(2);
    clock.advance(10s);
    until_it_waits_after(3);
    clock.advance(1min);
    until_it_waits_after(4);
    CHECK(script->upkeeps() == writes_before{1, 3});
}

TEST_CASE_METHOD(idle_delivery, "a drain comes without upkeep", "[upkeep]") {
    script->hold();
    append(6);
    until([this] { return script->attempts() == 1; });
    clock.advance(1min);
    loop.begin_drain();
    script->release();
    until([this] { return tasks.size() == 0; });
    CHECK(loop.status().delivered == 6);
    CHECK(script->upkeeps().size() == 1);
}

TEST_CASE_METHOD(delivery_fixture, "a drain tells the upkeep that is under way to end", "[upkeep]") {
    script->hold_upkeep();
    until([this] { return script->upkeeps().size() == 1; });
    append(1);
    loop.begin_drain();
    until([this] { return tasks.size() == 0; });
    CHECK(loop.status().delivered == 1);
}

TEST_CASE_METHOD(idle_delivery, "upkeep that fails stops no delivery", "[upkeep]") {
    fail_after_a_minute("locked");
    append(3);
    until([this] { return loop.place().at == 4; });
    CHECK_FALSE(loop.status().failing);
    CHECK(loop.status().last_error.empty());
    clock.advance(1min);
    until_idle_after(3);
}

TEST_CASE_METHOD(
    idle_delivery, "how upkeep fails is said once for each text, until it works again", "[upkeep]"
) {
    const test::captured_log log;
    for (const auto* error : {"locked", "full", "locked", "full"})
        fail_after_a_minute(error);
    CHECK(
        log.lines() ==
        std::vector<std::string>{
            "warning sink fake: its upkeep failed, and is tried again: locked",
            "warning sink fake: its upkeep failed, and is tried again: full",
        }
    );
    fail_after_a_minute(""); // it works
    fail_after_a_minute("locked");
    CHECK(log.lines("locked").size() == 2);
}

TEST_CASE("of upkeep that always fails in another way only the first ones are said", "[upkeep]") {
    upkeep_schedule schedule{true, 1min};
    int said = 0;
    for (int i = 0; i < 100; ++i)
        said += schedule.failed(std::to_string(i), {}) ? 1 : 0;
    CHECK(said == 10);
}
