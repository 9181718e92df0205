// Reads what the server's catalogue says about a table.
#pragma once

#include "sinks/postgres_connection.hpp"
#include "sinks/postgres_table.hpp"

#include <optional>
#include <span>

namespace trackd::sinks {

/// @param results of `postgres_statements::describe`
/// @return nothing if there is no such table
[[nodiscard]] std::optional<postgres_table> read_postgres_table(std::span<const postgres_result> results);

} // namespace trackd::sinks
