// The client's side of `/healthz` and `/readyz`: what a container's HEALTHCHECK runs.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace trackd::admin {

struct health {
    bool good = false; ///< the answer was 200
    std::string says;  ///< one line for people: the answer's text, or why there was none
};

/// Asks a running daemon. Blocks for up to `timeout`.
/// @param at   the admin listener; where it listens on all interfaces, it is asked through loopback
/// @param path `/healthz` or `/readyz`
[[nodiscard]] health
ask_health(boost::asio::ip::tcp::endpoint at, std::string_view path, std::chrono::milliseconds timeout);

} // namespace trackd::admin
