// `trackd journal …`: finds the journal, and has it looked at.
#pragma once

#include "config/settings.hpp"
#include "service/command_line.hpp"

#include <iosfwd>

namespace trackd::service {

/// @return the process's exit status: 0, 1 if the journal is damaged, 2 if it could not be looked at
/// @throws std::exception whose text is one line for the operator: no journal there, a daemon that uses it
[[nodiscard]] int run_journal_command(
    const journal_line& line, const config::settings& settings, std::ostream& out, std::ostream& errors
);

} // namespace trackd::service
