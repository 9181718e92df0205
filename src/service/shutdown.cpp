#include "service/shutdown.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace trackd::service {

shutdown_plan shutdown_plan::from(time_point now, const config::shutdown_settings& settings) {
    shutdown_plan plan;
    plan.lame_duck_end = now + settings.lame_duck;
    plan.idle_end = plan.lame_duck_end + settings.idle_timeout;
    plan.request_end = plan.lame_duck_end + settings.request_timeout;
    plan.drain_end = std::max(plan.idle_end, plan.request_end) + settings.drain_timeout;
    plan.watchdog_end = plan.drain_end + std::chrono::seconds{1};
    return plan;
}

shutdown_plan::time_point shutdown_plan::end_of(stage which) const noexcept {
    switch (which) {
    case stage::lame_duck: return lame_duck_end;
    case stage::closing: return std::max(idle_end, request_end);
    default: return drain_end;
    }
}

shutdown_plan shutdown_plan::hurried(time_point now) const {
    shutdown_plan plan;
    plan.lame_duck_end = std::min(lame_duck_end, now);
    plan.idle_end = std::min(idle_end, now);
    plan.request_end = std::min(request_end, now);
    plan.drain_end = std::min(drain_end, now);
    plan.watchdog_end = plan.drain_end + std::chrono::seconds{1};
    return plan;
}

std::string shutdown_summary::line() const {
    const bool one_word = reason.find(' ') == std::string::npos;
    return fmt::format(
        "shutdown complete reason={} accepted={} delivered={} pending={} dead_lettered={} {}lost={} "
        "took={:.3f}s",
        one_word ? reason : '"' + reason + '"', accepted, delivered, pending, dead_lettered,
        damaged > 0 ? fmt::format("damaged={} ", damaged) : "", lost,
        std::chrono::duration<double>(took).count()
    );
}

int exit_status(const shutdown_summary& summary, bool part_failed) noexcept {
    return summary.lost > 0 || part_failed ? 1 : 0;
}

} // namespace trackd::service
