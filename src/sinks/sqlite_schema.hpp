// What trackd's own databases of SQLite look like: whose they are, their versions, and the steps between these.
#pragma once

#include "sinks/sqlite_connection.hpp"

namespace trackd::sinks {

/// @return whether it is empty, and so may become one of trackd's own
/// @throws std::runtime_error if it is somebody else's, or of a newer trackd
bool check_sqlite_owner(const sqlite_connection& database);

/// Makes the database ready to write to, if it is empty or one of trackd's own: it has a write-ahead log that outlives a
/// power cut, the newest schema, and our index if that is wanted, else not. One of an older schema is brought up step by
/// step, each in a transaction of its own, which the log is told of.
/// @return whether it was empty, and the table is new
/// @throws sqlite_misfit if the table does not take what the sink writes: then only the journal mode was touched
/// @throws std::runtime_error if it is somebody else's, or of a newer trackd: then it was not touched
bool prepare_sqlite_schema(const sqlite_connection& database, bool indexes);

} // namespace trackd::sinks
