// The way from trackd's own commands to the daemon that runs.
#pragma once

#include "admin/client.hpp"
#include "service/find_daemon.hpp"

#include <chrono>
#include <string>

namespace trackd::service {

/// What to say where the daemon has answered 401.
[[nodiscard]] std::string unknown_token(const daemon_contact& daemon);

/// For messages: `admin.listen, 127.0.0.1:8081`.
[[nodiscard]] std::string place_of(const daemon_contact& daemon);

/// What to throw where it does not answer.
[[nodiscard]] no_daemon no_answer_at(const daemon_contact& daemon, const std::string& why);

/// Finds the address of a host that has a name.
/// @throws std::exception if it has none
[[nodiscard]] admin::any_endpoint endpoint_of(const daemon_contact& daemon);

/// Asks at its admin listener, and shows the token. Blocks for up to `timeout`.
/// @throws no_daemon
[[nodiscard]] admin::answer
ask_daemon(const daemon_contact& daemon, admin::question what, std::chrono::milliseconds timeout);

} // namespace trackd::service
