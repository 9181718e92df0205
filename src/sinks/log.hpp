// A sink that writes each event into the daemon's log: for a first look, and to play a slow sink.
#pragma once

#include <trackd/sink.hpp>

#include <spdlog/logger.h>

#include <chrono>
#include <memory>

namespace trackd::sinks {

struct log_options {
    /// Of the lines. The logger's own level may hide them.
    spdlog::level::level_enum level = spdlog::level::info;
    /// It waits so long before each event.
    std::chrono::milliseconds simulate_latency{0};
};

/// One line an event: its CloudEvents JSON. It confirms what it gave to the logger, which keeps nothing safe.
/// @param logger outlives the sink
[[nodiscard]] std::unique_ptr<sink> make_log_sink(log_options options, spdlog::logger& logger);

} // namespace trackd::sinks
