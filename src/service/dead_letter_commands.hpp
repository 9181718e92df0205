// `trackd dead-letters …`: through the daemon where there is one, and without it otherwise.
#pragma once

#include "admin/overview.hpp"
#include "config/settings.hpp"
#include "service/command_line.hpp"
#include "sinks/dead_letter_file.hpp"

#include <trackd/sink.hpp>

#include <iosfwd>
#include <stop_token>

namespace trackd::service {

/// @return the process's exit status: 0, 1 if not all could be done (a sink refused again, or does not work)
/// @throws std::exception whose text is one line for the operator
[[nodiscard]] int run_dead_letter_command(
    const dead_letter_line& line, const config::settings& settings, std::ostream& out, std::ostream& errors
);

/// Gives the letters to the sink once more.
/// @throws as `sinks::dead_letter_file::for_each`
[[nodiscard]] admin::letters_report redeliver_letters(
    sinks::dead_letter_file& from, sink& to, const admin::letter_choice& of, const std::stop_token& stop
);

/// Throws the letters away.
/// @throws as `sinks::dead_letter_file::for_each`
[[nodiscard]] admin::letters_report
drop_letters(sinks::dead_letter_file& from, const admin::letter_choice& of);

} // namespace trackd::service
