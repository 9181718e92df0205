// Whether whoever stops trackd gives it the time that it takes.
#pragma once

#include "config/settings.hpp"

#include <string>
#include <string_view>

namespace trackd::service {

/// @param allowed how long after SIGTERM the process may live, as the variable TRACKD_STOP_TIMEOUT says: `30s`. For
/// systemd that is TimeoutStopSec, for Kubernetes terminationGracePeriodSeconds
/// @return what is wrong, as one line for the operator; empty if it fits
[[nodiscard]] std::string why_cut_short(const config::shutdown_settings& settings, std::string_view allowed);

} // namespace trackd::service
