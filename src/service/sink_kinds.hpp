// Which kinds of sinks there are here, and one of each from its settings.
#pragma once

#include "config/settings.hpp"

#include <trackd/sink.hpp>

#include <memory>
#include <string>

namespace trackd::service {

/// @throws std::runtime_error if its module cannot be loaded; std::exception if the options cannot be
[[nodiscard]] std::unique_ptr<sink> make_sink(const config::sink_settings& settings);

/// The kinds that are part of the executable, and those whose modules are there, by their names, in order:
/// `file, kafka, log, null, sqlite`.
[[nodiscard]] std::string available_sinks();

} // namespace trackd::service
