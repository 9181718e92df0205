// What a database of SQLite needs beside being written to: old rows are deleted, and its write-ahead log is kept small.
#pragma once

#include "sinks/sqlite_connection.hpp"
#include "sinks/sqlite_retention.hpp"

#include <trackd/wall_clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>

namespace trackd::sinks {

/// Of the rows from `?1` on, among 1000 row numbers, those that are older than `?2`.
inline constexpr auto delete_oldest_rows =
    "DELETE FROM events WHERE rowid >= ?1 AND rowid < ?1 + 1000 AND received_at < ?2";

/// The first row from `?1` on, among 20000 row numbers, that did not come after `?2`.
inline constexpr auto find_true_row =
    "SELECT rowid FROM events WHERE rowid >= ?1 AND rowid < ?1 + 20000 AND received_at <= ?2 "
    "ORDER BY rowid LIMIT 1";

/// From now on a write-ahead log that begins anew gives back what it has beyond this. It begins anew whenever all of it is
/// in the database and nobody reads it.
void bound_sqlite_log(const sqlite_connection& database, std::uint64_t bytes);

/// Says in the log, at most once a day and at the end, how many rows were deleted; and once that the write-ahead log is
/// held back, until it no longer is. Of one thread at a time.
class sqlite_upkeep {
public:
    /// @param keep how long after its `received_at` a row stays; 0: for ever
    sqlite_upkeep(std::chrono::milliseconds keep, std::uint64_t log_bytes, wall_clock now);

    /// What is in the database before the first write: the retention begins with its newest row. The first call counts.
    void remember_newest(const sqlite_connection& database);

    /// @return whether there is more to do
    [[nodiscard]] bool portion(const sqlite_connection& database, const std::stop_token& stop);

    /// What was not said yet.
    void close(const std::filesystem::path& path);

private:
    void begin_pass(const sqlite_connection& database, wall_time now);
    [[nodiscard]] bool delete_old(const sqlite_connection& database, const std::stop_token& stop);
    [[nodiscard]] bool delete_some(const sqlite_connection& database);
    void say_deleted(const std::filesystem::path& path);
    void cut_log(const sqlite_connection& database);

    const std::chrono::milliseconds keep_;
    const std::uint64_t log_bytes_;
    const wall_clock now_;
    retention_clock clock_;
    std::optional<wall_time> newest_at_first_; // until the first pass has used it
    bool is_remembered_ = false;
    std::optional<wall_time>
        pass_; // under way since; what comes of age meanwhile is for the next, or none would end
    wall_time older_than_{};     // of this pass
    wall_time horizon_{};        // of this pass: rows beyond it are skipped, and hold none back
    std::int64_t first_row_ = 0; // that this pass has not looked at
    bool said_jump_ = false;
    wall_time cut_at_{};
    std::size_t deleted_ = 0; // since it was said
    wall_time said_{};
    bool said_held_back_ = false;
};

} // namespace trackd::sinks
