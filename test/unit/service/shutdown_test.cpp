#include "service/shutdown.hpp"
#include "support/catch.hpp"

using namespace trackd::service;
using namespace std::chrono_literals;

namespace {

const shutdown_plan::time_point noon{12h};

} // namespace

TEST_CASE("the default stages end within eight seconds, the watchdog one later", "[shutdown]") {
    const auto plan = shutdown_plan::from(noon, {});
    CHECK(plan.lame_duck_end == noon);
    CHECK(plan.idle_end == noon + 2s);
    CHECK(plan.request_end == noon + 3s);
    CHECK(plan.drain_end == noon + 8s);
    CHECK(plan.watchdog_end == noon + 9s);
}

TEST_CASE("a lame duck moves every later stage", "[shutdown]") {
    trackd::config::shutdown_settings settings;
    settings.lame_duck = 10s;
    const auto plan = shutdown_plan::from(noon, settings);
    CHECK(plan.lame_duck_end == noon + 10s);
    CHECK(plan.drain_end == noon + 18s);
}

TEST_CASE("idle connections may be given longer than requests", "[shutdown]") {
    trackd::config::shutdown_settings settings;
    settings.idle_timeout = 7s;
    CHECK(shutdown_plan::from(noon, settings).drain_end == noon + 12s);
}

TEST_CASE("a hurry moves what lies ahead to now, and leaves the watchdog a second", "[shutdown]") {
    const auto plan = shutdown_plan::from(noon, {}).hurried(noon + 2500ms);
    CHECK(plan.idle_end == noon + 2s);
    CHECK(plan.request_end == noon + 2500ms);
    CHECK(plan.drain_end == noon + 2500ms);
    CHECK(plan.watchdog_end == noon + 3500ms);
}

TEST_CASE("the summary is one line that names every figure", "[shutdown]") {
    shutdown_summary summary;
    summary.reason = "SIGTERM";
    summary.accepted = 10;
    summary.delivered = 7;
    summary.pending = 1;
    summary.lost = 2;
    summary.took = 1234ms;
    CHECK(
        summary.line() == "shutdown complete reason=SIGTERM accepted=10 delivered=7 pending=1 "
                          "dead_lettered=0 lost=2 took=1.234s"
    );
}

TEST_CASE("a reason of several words is quoted in the summary", "[shutdown]") {
    shutdown_summary summary;
    summary.reason = "ingest listener 127.0.0.1:8080";
    CHECK(summary.line().find(R"(reason="ingest listener 127.0.0.1:8080" accepted=)") != std::string::npos);
}

TEST_CASE("the exit status tells a loss and a failed part from a good end", "[shutdown]") {
    shutdown_summary summary;
    CHECK(exit_status(summary, false) == 0);
    CHECK(exit_status(summary, true) == 1);
    summary.pending = 5;
    CHECK(exit_status(summary, false) == 0);
    summary.lost = 1;
    CHECK(exit_status(summary, false) == 1);
}
