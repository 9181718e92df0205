#include "service/stop_timeout.hpp"

#include "config/units.hpp"
#include "service/shutdown.hpp"

#include <chrono>

namespace trackd::service {

std::string why_cut_short(const config::shutdown_settings& settings, std::string_view allowed) {
    const auto found = "TRACKD_STOP_TIMEOUT: found \"" + std::string{allowed} + "\", expected ";
    const auto time = config::parse_duration(allowed);
    if (!time) return found + "a duration with its unit such as \"30s\" (ms, s, m, h, d)";
    const auto longest = std::chrono::ceil<std::chrono::milliseconds>(
        shutdown_plan::from({}, settings).watchdog_end.time_since_epoch()
    );
    if (*time > longest) return {};
    return found + "more than \"" + config::format(longest) +
           "\": a shutdown takes up to the sum of shutdown.lame_duck, the longer one of "
           "shutdown.request_timeout "
           "and shutdown.idle_timeout, shutdown.drain_timeout and one second, and would be cut short";
}

} // namespace trackd::service
