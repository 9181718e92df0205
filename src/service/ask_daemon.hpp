// The way from trackd's own commands to the daemon that runs with the same configuration.
#pragma once

#include "admin/client.hpp"
#include "config/settings.hpp"

#include <chrono>
#include <stdexcept>
#include <string_view>

namespace trackd::service {

/// What to say where the daemon has answered 401.
inline constexpr std::string_view unknown_token =
    "the daemon does not know this admin.token; where that is what has changed, send it a SIGHUP";

/// There is no answer; the text says where it was expected, and why there is none.
class no_daemon : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Asks at its admin listener, and shows the token. Blocks for up to `timeout`.
/// @throws no_daemon
[[nodiscard]] admin::answer
ask_daemon(const config::settings& settings, admin::question what, std::chrono::milliseconds timeout);

} // namespace trackd::service
