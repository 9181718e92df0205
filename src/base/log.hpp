// The daemon's log: one logger, to standard error.
#pragma once

#include <spdlog/logger.h>

#include <string_view>

namespace trackd::base {

enum class log_format { text, json };

/// Sets up the logger. Before this call, `log()` writes text at level info. Called once, before threads start.
/// @param level one of trace, debug, info, warn, error, off
void set_up_log(std::string_view level, log_format format);

/// Any thread. A line's text must not hold a client's bytes as they came: quote them with `append_json_string` first.
[[nodiscard]] spdlog::logger& log() noexcept;

/// Writes out what is buffered.
void flush_log() noexcept;

} // namespace trackd::base
