// The staged shutdown as a table of points in time, and its outcome as a line: no clock, no timer.
#pragma once

#include "config/settings.hpp"

#include <trackd/stage.hpp>
#include <trackd/tracker.hpp>

#include <chrono>
#include <string>

namespace trackd::service {

/// When each stage ends at the latest. Reckoned once, when the shutdown begins, so that the whole has one
/// end: time that a stage did not need is left to those after it.
struct shutdown_plan {
    using time_point = std::chrono::steady_clock::time_point;

    time_point lame_duck_end; ///< from here on the listeners close
    time_point idle_end;      ///< connections without a request are closed
    time_point request_end;   ///< requests that have begun are answered, whatever the answer
    time_point drain_end;     ///< what is still pending stays so
    time_point watchdog_end;  ///< whatever hangs, the process ends

    [[nodiscard]] static shutdown_plan from(time_point now, const config::shutdown_settings& settings);

    /// When this stage of a shutdown ends at the latest.
    [[nodiscard]] time_point end_of(stage which) const noexcept;

    /// The same with every end that lies ahead moved to now, as a second signal wants it; the watchdog gets
    /// its second.
    [[nodiscard]] shutdown_plan hurried(time_point now) const;
};

/// What is said at the very end.
struct shutdown_summary {
    std::string reason; ///< "SIGTERM", or the part that failed
    std::uint64_t accepted = 0;
    std::uint64_t delivered = 0;
    std::uint64_t pending = 0;
    std::uint64_t dead_lettered = 0;
    std::uint64_t damaged = 0; ///< said only if there are any
    std::uint64_t lost = 0;
    std::chrono::milliseconds took{};

    /// `shutdown complete reason=SIGTERM accepted=3 …`
    [[nodiscard]] std::string line() const;
};

/// 0: nothing lost. 1: events lost, or a part failed.
[[nodiscard]] int exit_status(const shutdown_summary& summary, bool part_failed) noexcept;

} // namespace trackd::service
