// A sink that stores events in a table of an SQLite database, each once.
#pragma once

#include <trackd/sink.hpp>

#include <chrono>
#include <filesystem>
#include <memory>

namespace trackd::sinks {

struct sqlite_options {
    std::filesystem::path path{};                 ///< the database; made if missing, its directory is not
    std::chrono::milliseconds busy_timeout{1000}; ///< how long one write waits for somebody else's lock
};

/// One transaction a write; when it returns, all its events are on stable storage (`synchronous=FULL`). An
/// event whose `(source, id)` is already there is left as it is, and counted as a duplicate.
///
/// After a failure (locked, full, removed, damaged) the next write begins with a new connection. A database
/// that was moved away is noticed by the next write, which makes a new one.
[[nodiscard]] std::unique_ptr<sink> make_sqlite_sink(sqlite_options options);

} // namespace trackd::sinks
