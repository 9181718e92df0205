// To which database a write-ahead log belongs. SQLite goes by names alone: it copies a log into whatever database stands
// beside it, and removes a log that stands beside an empty one.
#pragma once

#include <filesystem>

namespace trackd::sinks {

/// Writes down, in an attribute of the log of an open database, which database it belongs to. Without effect where the
/// file system has no attributes.
void mark_log(const std::filesystem::path& database) noexcept;

/// Whether the log beside the database is known as another one's: what `set_foreign_log_aside` would move.
[[nodiscard]] bool has_foreign_log(const std::filesystem::path& database);

/// Before a database is opened or made: a log with its name that is another one's is moved to that database, if that is in
/// the same directory, and else set aside. Known as another one's is a log without a database, and one with a mark that
/// names another file.
void set_foreign_log_aside(const std::filesystem::path& database);

/// Moves the log, and its index, from the name of one database to that of another. Sets it aside where that has a log.
void move_log(const std::filesystem::path& from_database, const std::filesystem::path& to_database);

/// Renames the log, so that SQLite does not take it for the database's, and says so. Removes its index.
void set_log_aside(const std::filesystem::path& database, bool with_index = true);

/// Whether another process has the database open. Only while this process has not: it drops this process's locks.
[[nodiscard]] bool is_open_elsewhere(const std::filesystem::path& database);

} // namespace trackd::sinks
