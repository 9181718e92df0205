#include "sinks/sqlite_check.hpp"

#include "base/file_access.hpp"
#include "sinks/sqlite_connection.hpp"
#include "sinks/sqlite_files.hpp"
#include "sinks/sqlite_log_owner.hpp"
#include "sinks/sqlite_schema.hpp"

#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unistd.h>

namespace trackd::sinks {

namespace fs = std::filesystem;

namespace {

// No descriptor is opened: closing it would drop the locks of a connection of this process.
void check_writable(const fs::path& file) {
    if (::faccessat(AT_FDCWD, file.c_str(), R_OK | W_OK, AT_EACCESS) != 0)
        throw std::system_error{errno, std::generic_category(), "cannot open " + file.string()};
}

} // namespace

void check_sqlite_database(const fs::path& path) {
    if (!base::exists_or_can_be_made(path, base::missing_directories::made)) return;
    if (!fs::is_regular_file(path))
        throw std::runtime_error{
            "cannot use " + path.string() +
            ": it is not a regular file; expected the path of an SQLite database"
        };
    check_writable(path);
    const auto file = base::resolve_links(path); // SQLite keeps the write-ahead log beside it
    const bool has_log = fs::exists(log_of(file));
    const bool has_index = has_log && fs::exists(index_of(file));
    if (!has_index)
        static_cast<void>(base::exists_or_can_be_made(log_of(file), base::missing_directories::refused));
    // SQLite removes the log of an empty database even if it only reads, and takes another one's log for its own: `open`
    // moves such a log away first. Without its index a log cannot be read, nor the database without its log.
    if (fs::file_size(file) == 0 || has_foreign_log(file) || (has_log && !has_index)) return;
    try {
        static_cast<void>(check_sqlite_owner(sqlite_connection::read_only(path, has_index)));
    } catch (const sqlite_locked&) {
        return;
    }
}

} // namespace trackd::sinks
