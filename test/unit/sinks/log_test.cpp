#include "lines.hpp"
#include "sinks/log.hpp"

#include <spdlog/sinks/ostream_sink.h>

#include <thread>

using namespace trackd;
using namespace std::chrono_literals;

namespace {

// A logger whose lines can be read.
struct captured_log {
    std::ostringstream text;
    spdlog::logger logger{"test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text)};

    captured_log() { logger.set_pattern("%l %v"); }
};

// Requests a stop when it gets its first line.
class stops_at_first_line final : public spdlog::sinks::base_sink<std::mutex> {
public:
    std::stop_source stop;

protected:
    void sink_it_(const spdlog::details::log_msg&) override { stop.request_stop(); }

    void flush_() override {}
};

} // namespace

TEST_CASE("each event becomes one line of the log, as CloudEvents JSON", "[sinks][log]") {
    captured_log log;
    const auto sink = sinks::make_log_sink({}, log.logger);
    const auto events = test::tricky_events();
    CHECK(sink->write(events, {}).confirmed == events.size());
    const auto lines = test::lines_of(log.text.str());
    REQUIRE(lines.size() == events.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        REQUIRE(lines[i].starts_with("info {"));
        test::check_same(boost::json::parse(lines[i].substr(5)).as_object(), events[i]);
    }
}

TEST_CASE("events are logged at the level that was asked for", "[sinks][log]") {
    captured_log log;
    const auto sink = sinks::make_log_sink({.level = spdlog::level::debug}, log.logger);
    CHECK(sink->write(test::numbered_events{1}, {}).confirmed == 1);
    CHECK(log.text.str().empty()); // the log's own level hides it
    log.logger.set_level(spdlog::level::debug);
    CHECK(sink->write(test::numbered_events{1}, {}).confirmed == 1);
    CHECK(log.text.str().starts_with("debug {"));
}

TEST_CASE("braces in an event are not taken for a format", "[sinks][log]") {
    captured_log log;
    const auto sink = sinks::make_log_sink({}, log.logger);
    const std::vector events{test::make_event("{} {0} {:x} %s %v %%")};
    CHECK(sink->write(events, {}).confirmed == 1);
    CHECK(test::contains(log.text.str(), R"("id":"{} {0} {:x} %s %v %%")"));
}

TEST_CASE("the simulated latency is waited for before each event", "[sinks][log]") {
    captured_log log;
    const auto sink = sinks::make_log_sink({.simulate_latency = 5ms}, log.logger);
    const auto began = std::chrono::steady_clock::now();
    CHECK(sink->write(test::numbered_events{4}, {}).confirmed == 4);
    CHECK(std::chrono::steady_clock::now() - began >= 20ms);
}

TEST_CASE("a stop ends the simulated latency", "[sinks][log]") {
    captured_log log;
    const auto sink = sinks::make_log_sink({.simulate_latency = 1h}, log.logger);
    std::stop_source stop;
    std::jthread somebody{[&] { stop.request_stop(); }};
    CHECK(sink->write(test::numbered_events{2}, stop.get_token()).confirmed == 0);
}

TEST_CASE("what was logged before a stop is confirmed", "[sinks][log]") {
    const auto lines = std::make_shared<stops_at_first_line>();
    spdlog::logger logger{"test", lines};
    const auto latency = GENERATE(0ms, 1ms);
    const auto sink = sinks::make_log_sink({.simulate_latency = latency}, logger);
    CHECK(sink->write(test::numbered_events{3}, lines->stop.get_token()).confirmed == 1);
}

TEST_CASE("a stop that came before confirms nothing, and waits for nothing", "[sinks][log]") {
    captured_log log;
    const auto sink = sinks::make_log_sink({.simulate_latency = 1h}, log.logger);
    std::stop_source stop;
    stop.request_stop();
    CHECK(sink->write(test::numbered_events{2}, stop.get_token()).confirmed == 0);
    CHECK(log.text.str().empty());
}
