#include "helpers.hpp"
#include "sinks/kafka_log.hpp"

#include <spdlog/sinks/ostream_sink.h>

#include <syslog.h>

using namespace trackd;
using namespace std::chrono_literals;

namespace {

struct fixture {
    std::ostringstream out;
    spdlog::logger logger{"test", std::make_shared<spdlog::sinks::ostream_sink_st>(out)};
    sinks::kafka_log::time_point now{1h};
    sinks::kafka_log log{logger, [this] { return now; }};

    fixture() { logger.set_pattern("%l %v"); }

    [[nodiscard]] std::size_t lines() const {
        const auto text = out.str();
        return static_cast<std::size_t>(std::ranges::count(text, '\n'));
    }
};

} // namespace

TEST_CASE_METHOD(fixture, "librdkafka's lines have our levels, and cannot forge ours", "[sinks][kafka]") {
    log.line(LOG_CRIT, "a");
    log.line(LOG_ERR, "b");
    log.line(LOG_WARNING, "c\nd");
    log.line(LOG_INFO, "e");
    CHECK(
        out.str() == "error librdkafka: \"a\"\nerror librdkafka: \"b\"\nwarning librdkafka: \"c\\nd\"\ninfo "
                     "librdkafka: \"e\"\n"
    );
}

TEST_CASE_METHOD(
    fixture, "librdkafka's lines are bounded, and told when they were left out", "[sinks][kafka]"
) {
    for (int i = 0; i < 1000; ++i)
        log.line(LOG_ERR, "again");
    CHECK(lines() == sinks::kafka_log::lines_a_window);
    now += sinks::kafka_log::window;
    log.line(LOG_ERR, "later");
    CHECK(lines() == sinks::kafka_log::lines_a_window + 2);
    CHECK(out.str().ends_with("warning librdkafka: 980 lines were left out\nerror librdkafka: \"later\"\n"));
}

TEST_CASE_METHOD(
    fixture, "librdkafka's lines for debugging are written, all of them, if anybody wants them",
    "[sinks][kafka]"
) {
    log.line(LOG_DEBUG, "hidden");
    CHECK(lines() == 0);
    logger.set_level(spdlog::level::debug);
    for (int i = 0; i < 100; ++i)
        log.line(LOG_DEBUG, "shown");
    CHECK(lines() == 100);
}

TEST_CASE_METHOD(fixture, "librdkafka's last error is kept, also where it is not written", "[sinks][kafka]") {
    CHECK(log.last_error().empty());
    for (int i = 0; i < 100; ++i)
        log.line(LOG_INFO, "noise");
    log.line(LOG_ERR, "the \"error\"");
    log.line(LOG_WARNING, "a warning");
    log.line(LOG_ERR, "1/1 brokers are down");
    CHECK(log.last_error() == R"("the \"error\"")");
    log.forget_error();
    CHECK(log.last_error().empty());
}
