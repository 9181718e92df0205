// The client's side of `/healthz` and `/readyz`: what a container's HEALTHCHECK runs.
#pragma once

#include "admin/client.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace trackd::admin {

struct health {
    bool good = false;     ///< the answer was 200
    bool answered = false; ///< with whatever status
    std::string says;      ///< one line for people: the answer's text, or why there was none
};

/// Asks a running daemon. Blocks for up to `timeout`.
/// @param at   the admin listener
/// @param path `/healthz` or `/readyz`
/// @param certificate the daemon's; empty: speaks no TLS. It is not compared: after a renewal the old one is as healthy
[[nodiscard]] health ask_health(
    const any_endpoint& at, std::string_view path, std::chrono::milliseconds timeout,
    const std::string& certificate = {}
);

} // namespace trackd::admin
