// `trackd tail`: what a running daemon accepts, in the terminal.
#pragma once

#include "service/command_line.hpp"
#include "service/find_daemon.hpp"

#include <iosfwd>

namespace trackd::service {

/// Blocks until a signal, or the daemon's end.
/// @return the process's exit status: 0, 1 if there is no daemon, or it broke off
/// @throws std::exception whose text is one line for the operator
[[nodiscard]] int run_tail_command(
    const tail_line& line, const daemon_contact& daemon, std::ostream& out, std::ostream& errors
);

} // namespace trackd::service
