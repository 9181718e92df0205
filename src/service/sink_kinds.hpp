// Which kinds of sinks this build has, and one of each from its settings.
#pragma once

#include "config/settings.hpp"

#include <trackd/sink.hpp>

#include <memory>
#include <string>

namespace trackd::service {

/// @throws std::runtime_error if this build has no such kind; std::exception if the options cannot be
[[nodiscard]] std::unique_ptr<sink> make_sink(const config::sink_settings& settings);

/// By their names, in order: `file, log, null, sqlite`.
[[nodiscard]] std::string built_in_sinks();

} // namespace trackd::service
