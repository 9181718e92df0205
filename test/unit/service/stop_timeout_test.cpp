#include "service/stop_timeout.hpp"
#include "support/catch.hpp"

using namespace trackd::service;
using namespace std::chrono_literals;

TEST_CASE("a stop timeout fits that is longer than all stages and the watchdog's second", "[stop_timeout]") {
    trackd::config::shutdown_settings settings; // 3 s, 5 s, and the second
    CHECK(why_cut_short(settings, "30s").empty());
    CHECK(why_cut_short(settings, "9001ms").empty());
    CHECK(why_cut_short(settings, "9s")
              .starts_with(R"(TRACKD_STOP_TIMEOUT: found "9s", expected more than "9s")"));
    settings.lame_duck = 10s;
    settings.drain_timeout = 20s;
    CHECK(why_cut_short(settings, "30s")
              .starts_with(R"(TRACKD_STOP_TIMEOUT: found "30s", expected more than "34s")"));
    CHECK(why_cut_short(settings, "35s").empty());
}

TEST_CASE("a stop timeout that is no duration is told with what was expected", "[stop_timeout]") {
    for (const std::string wrong : {"", "30", "soon", "1min 30s", "-1s"})
        CHECK(why_cut_short({}, wrong).starts_with(
            "TRACKD_STOP_TIMEOUT: found \"" + wrong + "\", expected a duration with its unit"
        ));
}
