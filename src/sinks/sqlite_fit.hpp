// Whether a table that an operator has altered still takes what trackd writes, without changing or losing it.
#pragma once

#include "sinks/sqlite_connection.hpp"

#include <stdexcept>

namespace trackd::sinks {

/// The table does not take what the sink writes; it may, once the operator has altered it again.
class sqlite_misfit : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

/// Checks the columns that the sink writes, the columns that it does not, and the key. Reads the schema only.
/// @throws sqlite_misfit `cannot use PATH: …`, which names the column, the key or the clause
void check_sqlite_fit(const sqlite_connection& database);

} // namespace trackd::sinks
