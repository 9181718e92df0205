// The files that the configuration has the daemon write to: no two users can have one file.
#pragma once

#include "config/settings.hpp"

#include <string>
#include <vector>

namespace trackd::service {

/// Compares the files of the sinks, of the log and of the listeners with each other and with those of the data directory,
/// also through symbolic and hard links.
/// @return a line for each that has two users, or that is where another user needs a directory
[[nodiscard]] std::vector<std::string> find_shared_files(const config::settings& settings);

} // namespace trackd::service
