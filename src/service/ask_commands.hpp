// The commands that ask a running daemon: `healthcheck`, `status`, `reload`, `tail` and `sink`. All of them find it in one
// way, which needs no configuration without errors.
#pragma once

#include "service/command_line.hpp"
#include "service/find_daemon.hpp"

#include <iosfwd>

namespace trackd::service {

[[nodiscard]] daemon_query query_of(const command_line& line);

/// @return the exit status: of the command, or 1 if no daemon can be asked
/// @throws std::exception whose text is one line for the operator, if the command line is wrong
[[nodiscard]] int run_ask_command(const command_line& line, std::ostream& out, std::ostream& errors);

} // namespace trackd::service
