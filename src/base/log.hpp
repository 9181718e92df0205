// The daemon's log, to standard error, which may be led into a file; and the log that takes events.
#pragma once

#include "base/descriptor.hpp"

#include <spdlog/common.h>
#include <spdlog/logger.h>

#include <string>
#include <string_view>

namespace trackd::base {

enum class log_format { text, json };

/// Sets up both loggers. Before this call, they write text at level info. Any thread, at any time.
/// @param level one of trace, debug, info, warn, error, off
void set_up_log(std::string_view level, log_format format);

/// Opens a file to write at its end, and makes it (0640, less the umask) if it is not there.
/// @throws std::system_error that names it
[[nodiscard]] descriptor open_log_file(const std::string& path);

/// Leads standard error into that file: the log, and what libraries say before they give up. Any thread; a line that
/// is being written goes to the one or the other as a whole.
/// @param file none: to where it went when the process began
/// @throws std::system_error
void lead_standard_error_into(const descriptor& file);

/// Any thread. A line's text must not hold a client's bytes as they came: quote them with
/// `append_json_string` first.
/// Does not wait for the reader of standard error: lines that it does not take are dropped, and counted.
[[nodiscard]] spdlog::logger& log() noexcept;

/// For events that are delivered to the log, in the same format: no line is dropped, the caller waits. Any thread.
[[nodiscard]] spdlog::logger& event_log() noexcept;

/// Writes one line past the logger and its lock, in the logger's format, and only if standard error takes it
/// at once: for the one who speaks when everything else hangs, which may be the logger.
void log_without_waiting(spdlog::level::level_enum level, std::string_view message) noexcept;

/// Writes out what is buffered.
void flush_log() noexcept;

} // namespace trackd::base
