// What a database of SQLite needs beside being written to: old rows are deleted, and its write-ahead log is kept small.
#pragma once

#include "sinks/sqlite_connection.hpp"

#include <trackd/wall_clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>

namespace trackd::sinks {

/// Of the rows that came first, at most 1000, those that are older than `?1`.
inline constexpr auto delete_oldest_rows =
    "DELETE FROM events WHERE rowid < (SELECT min(rowid) FROM events) + 1000 AND received_at < ?1";

/// From now on a write-ahead log that begins anew gives back what it has beyond this. It begins anew whenever all of it is
/// in the database and nobody reads it.
void bound_sqlite_log(const sqlite_connection& database, std::uint64_t bytes);

/// Says in the log, at most once a day and at the end, how many rows were deleted; and once that the write-ahead log is
/// held back, until it no longer is. Of one thread at a time.
class sqlite_upkeep {
public:
    /// @param keep how long after its `received_at` a row stays; 0: for ever
    sqlite_upkeep(std::chrono::milliseconds keep, std::uint64_t log_bytes, wall_clock now);

    /// @return whether there is more to do
    [[nodiscard]] bool portion(const sqlite_connection& database, const std::stop_token& stop);

    /// What was not said yet.
    void close(const std::filesystem::path& path);

private:
    [[nodiscard]] bool
    delete_old(const sqlite_connection& database, wall_time older_than, const std::stop_token& stop);
    void say_deleted(const std::filesystem::path& path);
    void cut_log(const sqlite_connection& database);

    const std::chrono::milliseconds keep_;
    const std::uint64_t log_bytes_;
    const wall_clock now_;
    std::optional<wall_time>
        pass_; // under way since; what comes of age meanwhile is for the next, or none would end
    wall_time cut_at_{};
    std::size_t deleted_ = 0; // since it was said
    wall_time said_{};
    bool said_held_back_ = false;
};

} // namespace trackd::sinks
