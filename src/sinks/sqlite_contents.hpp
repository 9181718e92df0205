// Whether a database of SQLite has the rows that were delivered to it.
#pragma once

#include "sinks/destination_check.hpp"
#include "sinks/sqlite_connection.hpp"

#include <trackd/wall_time.hpp>

#include <chrono>

namespace trackd::sinks {

/// Looks for one row, and by their keys for some of the last delivered events: never through the table. Errors are left to
/// the write that follows.
/// @param is_new the table was just made
/// @param keep   how long after its `received_at` a row stays; 0: for ever
void check_sqlite_contents(
    const sqlite_connection& database, bool is_new, std::chrono::milliseconds keep, wall_time now,
    destination_check& check
) noexcept;

} // namespace trackd::sinks
