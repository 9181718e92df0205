// What keeps the daemon from starting, or from taking up a configuration, as far as that is known before anything is made,
// opened for writing or connected: `trackd check`, and the first step of each start and reload.
#pragma once

#include "config/settings.hpp"

namespace trackd::service {

/// All that a reload can change: certificates, the log's file, and files with two users.
/// @throws config::error with a line for each problem
void check_files(const config::settings& settings);

/// The same, and the data directory with what is in it, every sink, and every address.
/// @throws config::error with a line for each problem
void check_start(const config::settings& settings);

} // namespace trackd::service
