// The three files of an open SQLite database: whether the paths still lead to them, and what to do if they do not.
//
// SQLite finds a write-ahead log by its name alone. Rows that are in the log of another database, or in a log that no
// name leads to, are lost by the next crash: so no database is opened beside the log of another one, and no write counts
// while its log has no name.
#pragma once

#include "sinks/sqlite_connection.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <sys/types.h>

namespace trackd::sinks {

/// What a name leads to.
struct file_identity {
    dev_t device = 0;
    ino_t inode = 0;

    friend bool operator==(const file_identity&, const file_identity&) = default;
};

[[nodiscard]] std::optional<file_identity> identify_file(const std::filesystem::path& path);

/// Where `events.db-wal` or `events.db-shm` of the database is.
[[nodiscard]] std::filesystem::path log_of(const std::filesystem::path& database);
[[nodiscard]] std::filesystem::path index_of(const std::filesystem::path& database);

enum class sqlite_files_state {
    in_place,
    database_gone, ///< moved or removed
    log_gone,      ///< the database is there, and its `-wal` or `-shm` is not
    log_cut, ///< the `-wal` is shorter than it was: another program has emptied it, by SQLite or by force
};

/// The files that one connection has open. Of one thread at a time.
class sqlite_files {
public:
    /// The database is open, and has a write-ahead log.
    explicit sqlite_files(const std::filesystem::path& database);

    [[nodiscard]] sqlite_files_state state() const;

    /// After a write: how long the log is now.
    void remember_log();

    /// After `log_cut`: begins the log again, and says so where it had rows that are lost. Then the connection is to be
    /// closed.
    /// @throws std::runtime_error while another program is in the way
    void restart_log(const sqlite_connection& database) const;

    /// After `log_gone`: copies all of the log into the database, or else, where a reader is in the way, the log to its
    /// place. Then the connection is to be closed.
    /// @throws std::runtime_error if neither works: through the connection alone rows can be read that count as delivered
    void save_log(const sqlite_connection& database);

    /// After `database_gone`: makes the moved database whole, as far as readers let it. Then the connection is to be closed.
    void leave(const sqlite_connection& database);

    /// After the connection was closed: nothing that belongs to another database is left beside the path.
    void settle() const;

    /// After `leave`: where the database is now; nothing if it was removed.
    [[nodiscard]] const std::optional<std::filesystem::path>& moved_to() const noexcept { return moved_to_; }

private:
    [[nodiscard]] bool is_at_path(std::size_t file) const;
    [[nodiscard]] bool is_replaced(std::size_t file) const;
    void copy_log(const std::filesystem::path& target) const;

    std::array<std::filesystem::path, 3> paths_; // the database, its log, the index of that
    std::array<std::optional<file_identity>, 3> files_;
    std::optional<std::filesystem::path> moved_to_;
    std::uintmax_t log_bytes_ = 0;
    bool is_whole_ = false; // the database has all of the log
};

} // namespace trackd::sinks
