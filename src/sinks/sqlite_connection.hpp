// SQLite's functions, with exceptions that name the database.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace trackd::sinks {

/// Somebody else has a lock: what may mend itself.
class sqlite_locked : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

struct sqlite_closer {
    void operator()(sqlite3* connection) const noexcept { ::sqlite3_close(connection); }

    void operator()(sqlite3_stmt* statement) const noexcept { ::sqlite3_finalize(statement); }
};

using sqlite_statement = std::unique_ptr<sqlite3_stmt, sqlite_closer>;

/// An open database. Functions throw `sqlite_locked`, `events_refused` for what a constraint or a trigger of the
/// operator's has against a row, or another `std::runtime_error`. Of one thread at a time.
class sqlite_connection {
public:
    /// Makes the file if there is none, for its owner alone.
    /// @param patience how long to wait for somebody else's lock
    sqlite_connection(std::filesystem::path path, std::chrono::milliseconds patience);

    /// Only reads a database that exists, and makes no file beside it.
    /// @param with_log whether its write-ahead log and the log's index exist: else what is in a log is not read
    [[nodiscard]] static sqlite_connection read_only(std::filesystem::path path, bool with_log);

    /// Throws if the result says that something failed.
    /// @param what was done, for the message: `cannot WHAT PATH: …`
    void check(int result, const char* what) const;

    /// The same for the result of an INSERT in a transaction that has found the table to fit: an SQLITE_ERROR is then an
    /// expression without a value for this row, such as an index on a member of data that is no JSON.
    void check_row(int result, const char* what) const;

    /// Throws `cannot use PATH: WHY`.
    [[noreturn]] void refuse(const std::string& why) const;

    [[nodiscard]] sqlite_statement prepare(const std::string& sql) const;
    void run(const std::string& sql) const;

    /// The first column of the first row; empty, or 0, where that is NULL.
    [[nodiscard]] std::string text(const std::string& sql) const;
    [[nodiscard]] std::int64_t number(const std::string& sql) const;

    /// How many rows the last statement has touched.
    [[nodiscard]] std::size_t changes() const;

    /// Copies what it can of the write-ahead log into the database, without waiting.
    /// @return whether the database has all of it now, on the disk
    bool checkpoint() const noexcept;

    /// Copies all of it and cuts its file to nothing, waiting a moment for those who are in the way.
    /// @return whether nobody was
    [[nodiscard]] bool empty_log() const;

    /// The write-ahead log's file.
    [[nodiscard]] std::filesystem::path log_path() const;

    /// Undoes the transaction, if one is open.
    void roll_back() const noexcept;

    /// Closing leaves the write-ahead log's file as it is: neither removed nor cut.
    void keep_log() const noexcept;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    explicit sqlite_connection(std::filesystem::path path) : path_{std::move(path)}, patience_{0} {}

    void open(const std::string& name, int flags);
    [[nodiscard]] std::string reason(int result) const;
    void wait_for_locks(std::chrono::milliseconds patience) const noexcept;

    std::filesystem::path path_;
    std::chrono::milliseconds patience_;
    std::unique_ptr<sqlite3, sqlite_closer> handle_;
};

} // namespace trackd::sinks
