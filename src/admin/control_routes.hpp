// `POST /reload`, `/debug/config` and `/debug/log-level`: the configuration of a running daemon.
#pragma once

#include "admin/controls.hpp"
#include "http/router.hpp"

#include <string_view>

namespace trackd::admin {

void add_control_routes(http::router& routes, controls& of);

/// What the answer to `POST /reload` says, also where it is a refusal.
/// @throws std::runtime_error if it is no such answer
[[nodiscard]] reload_report parse_reload_report(std::string_view json);

} // namespace trackd::admin
