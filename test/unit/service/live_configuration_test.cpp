// What takes the place of a configuration in force, and what does not.
#include "config/load.hpp"
#include "service/live_configuration.hpp"
#include "support/catch.hpp"

#include <stdexcept>

using namespace trackd;
using service::live_configuration;

namespace {

using strings = std::vector<std::string>;

config::settings with(strings set) {
    return config::load({{}, {}, std::move(set)});
}

struct fixture {
    strings next;
    live_configuration live{with({"log.level=info"}), [this] { return with(next); }};
};

} // namespace

TEST_CASE_METHOD(
    fixture, "a configuration that only needs a reload takes the other's place", "[service][reload]"
) {
    CHECK(live.state().generation == 1);
    CHECK(live.state().changed.empty());
    next = {"log.level=debug", "http.max_batch_events=7"};
    auto read = live.read_again();
    CHECK(live.settings().http.max_batch_events == 10'000); // not yet
    const auto& in_force = live.settings();
    live.put_into_force(std::move(read));
    CHECK(in_force.http.max_batch_events == 7); // for all who look at it
    CHECK(live.state().generation == 2);
    CHECK(live.state().changed == strings{"http.max_batch_events", "log.level"});
    live.put_into_force(live.read_again());
    CHECK(live.state().generation == 3);
    CHECK(live.state().changed.empty());
}

TEST_CASE_METHOD(fixture, "what needs a restart is refused, and all of it is said", "[service][reload]") {
    next = {"http.threads=3", "http.max_batch_events=7", "sinks.sqlite.linger=1s"};
    try {
        static_cast<void>(live.read_again());
        FAIL("it was taken");
    } catch (const config::error& wrong) {
        CHECK(
            wrong.lines() ==
            strings{
                "http.threads: has changed, expected what it was: it needs a restart",
                "sinks.sqlite.linger: has changed, expected what it was: it needs a restart"
            }
        );
    }
    CHECK(live.state().generation == 1);
}

TEST_CASE("keys that are all gone are refused unless the list is written out", "[service][reload]") {
    const std::string key = R"({name="web",sha256=")" + std::string(64, 'a') + "\"}";
    strings next;
    live_configuration live{with({"keys=[" + key + "]"}), [&next] { return with(next); }};
    try {
        static_cast<void>(live.read_again());
        FAIL("it was taken");
    } catch (const config::error& wrong) {
        CHECK(
            wrong.lines() ==
            strings{"keys: found none, expected some, as there were before; \"keys = []\" has "
                    "everybody send events"}
        );
    }
    next = {"keys=[]"};
    live.put_into_force(live.read_again());
    CHECK(live.settings().keys.empty());
    next = {};
    CHECK_NOTHROW(live.read_again()); // there are none to lose
}

TEST_CASE_METHOD(fixture, "a refusal is remembered until the next one is taken", "[service][reload]") {
    next = {"http.threads=many"};
    CHECK_THROWS_AS(live.read_again(), config::error);
    live.refuse({"x", "y"});
    REQUIRE(live.state().refused);
    CHECK(live.state().refused->wrong == strings{"x", "y"});
    live.refuse(strings(1000, "x"));
    CHECK(live.state().refused->wrong.size() == 100);
    next = {};
    live.put_into_force(live.read_again());
    CHECK_FALSE(live.state().refused);
}

TEST_CASE_METHOD(fixture, "a level that was set by hand gives way to a reload", "[service][reload]") {
    live.set_log_level(config::log_level::trace);
    CHECK(live.settings().log.level == config::log_level::trace);
    live.put_into_force(live.read_again());
    CHECK(live.settings().log.level == config::log_level::info);
    CHECK(live.state().changed == strings{"log.level"});
}
