// What a journal held when it was opened, for the first lines of the log.
#pragma once

#include "backlog/recovery.hpp"

#include <trackd/backlog.hpp>

#include <string>

namespace trackd::journal {

/// @param found before its segments are moved from
[[nodiscard]] journal_found measure_found(file_system& files, const recovered& found, run_end last_run);

/// One line.
[[nodiscard]] std::string describe(const journal_found& found, std::uint64_t torn_bytes);

} // namespace trackd::journal
