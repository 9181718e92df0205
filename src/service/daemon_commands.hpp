// `trackd reload` and `trackd status`: what the running daemon is asked for.
#pragma once

#include "service/find_daemon.hpp"

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace trackd::service {

/// @return the exit status: 0 if it has taken up its configuration, 2 with all errors if that is not possible, 1 if it
/// does not answer, or does not want to
[[nodiscard]] int run_reload(const daemon_contact& daemon, std::ostream& out, std::ostream& errors);

/// @return the exit status: 0, or 1 if it does not answer, or does not want to
[[nodiscard]] int
run_status(const daemon_contact& daemon, bool json, std::ostream& out, std::ostream& errors);

/// `configuration 2 is in force; changed: log.level`
[[nodiscard]] std::string said_of(std::uint64_t generation, const std::vector<std::string>& changed);

} // namespace trackd::service
