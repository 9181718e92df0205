// Where trackd's own commands ask a running daemon.
#pragma once

#include "config/settings.hpp"

#include <string>

namespace trackd::service {

/// The first address of `admin.listen` that can be known from the configuration.
/// @throws std::runtime_error where only systemd knows them, saying how to name one
[[nodiscard]] std::string admin_address(const config::settings& settings);

} // namespace trackd::service
