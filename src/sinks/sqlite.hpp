// A sink that stores events in a table of an SQLite database, each once.
#pragma once

#include <trackd/sink.hpp>
#include <trackd/wall_clock.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace trackd::sinks {

struct sqlite_options {
    std::filesystem::path path{};      ///< the database; made if missing, its directory is not
    std::chrono::milliseconds keep{0}; ///< how long after its `received_at` a row stays; 0: for ever
    bool indexes = true;               ///< whether there is an index on `time`
    std::chrono::milliseconds busy_timeout{1000};       ///< how long one write waits for somebody else's lock
    std::uint64_t log_bytes = std::uint64_t{64} << 20U; ///< how large the write-ahead log's file may stay
    wall_clock now = utc_now;                           ///< what `keep` is reckoned by
};

/// One transaction a write; when it returns, all its events are on stable storage (`synchronous=FULL`). An
/// event whose `(source, id)` is already there is left as it is, and counted as a duplicate.
///
/// A database of an older schema is brought up by `open`, or by the first write if it is locked then.
///
/// `upkeep` deletes what is older than `keep`, and cuts a write-ahead log that is too large.
///
/// After a failure (locked, full, removed, damaged) the next write begins with a new connection. A database
/// that was moved away is noticed by the next write, which makes a new one; a removed or replaced write-ahead log by the
/// next write or upkeep, which saves its rows: see sqlite_files.hpp. A table that an operator has altered is checked first:
/// see sqlite_fit.hpp.
[[nodiscard]] std::unique_ptr<sink> make_sqlite_sink(sqlite_options options);

} // namespace trackd::sinks
