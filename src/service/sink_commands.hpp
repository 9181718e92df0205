// `trackd sink …`: what the running daemon is asked to do with one sink.
#pragma once

#include "service/command_line.hpp"
#include "service/find_daemon.hpp"

#include <iosfwd>

namespace trackd::service {

/// @return the exit status: 0 done, or it was so already; 1 the daemon does not answer; 2 it refuses
[[nodiscard]] int run_sink_command(
    const sink_line& line, const daemon_contact& daemon, std::ostream& out, std::ostream& errors
);

} // namespace trackd::service
