// `trackd dead-letters …`: through the daemon where there is one, and without it otherwise.
#pragma once

#include "admin/overview.hpp"
#include "service/command_line.hpp"
#include "service/find_daemon.hpp"
#include "sinks/dead_letter_file.hpp"
#include "sinks/redeliver.hpp"

#include <trackd/sink.hpp>

#include <iosfwd>
#include <stop_token>
#include <string>

namespace trackd::service {

/// Asks the daemon that runs, also where the configuration has errors or `--admin` names one; else works on the files.
/// @return the process's exit status: 0, 1 if not all could be done (a sink refused again, or does not work)
/// @throws std::exception whose text is one line for the operator
[[nodiscard]] int run_dead_letter_command(
    const dead_letter_line& line, const daemon_query& query, std::ostream& out, std::ostream& errors
);

/// Why letters of a sink that was taken out of the configuration cannot be delivered.
[[nodiscard]] std::string not_configured(const std::string& sink);

/// Nothing is done yet, and all ids are missing.
[[nodiscard]] admin::letters_report begin_report(const admin::letter_choice& of);

/// Gives the letters of a portion to the sink once more, and adds to the report. Afterwards `next` is the portion that
/// follows.
/// @return whether there is one
bool redeliver_portion(
    sinks::dead_letter_file& from, sink& to, const admin::letter_choice& of, sinks::letter_portion& next,
    admin::letters_report& report, const std::stop_token& stop
);

/// Such that a large file is not written anew too often, and a sink not kept too long from other work. What is kept from
/// now on belongs to none of them.
[[nodiscard]] sinks::letter_portion first_portion(const sinks::dead_letter_file& of) noexcept;

/// Throws the letters away.
[[nodiscard]] admin::letters_report
drop_letters(sinks::dead_letter_file& from, const admin::letter_choice& of);

} // namespace trackd::service
