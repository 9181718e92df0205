#include "sinks/sqlite_connection.hpp"

#include <trackd/sink.hpp>

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace trackd::sinks {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds a_moment{100};

// SQLite would make it readable for all. Only a new file is touched: closing a descriptor of a database that is open
// elsewhere in this process would drop its locks.
void make_private_file(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        ::close(fd);
    } else if (errno != EEXIST) {
        throw std::system_error{errno, std::generic_category(), "cannot make " + path.string()};
    } else if (fs::is_directory(path)) {
        throw std::runtime_error{
            "cannot use " + path.string() + ": it is a directory; expected the path of an SQLite database"
        };
    }
}

// An URI in which nothing of the path means something else.
std::string uri_of(const fs::path& path) {
    std::string uri = "file:";
    for (const char c : path.native()) {
        if (c == '%' || c == '?' || c == '#')
            uri += c == '%' ? "%25" : c == '?' ? "%3f" : "%23";
        else
            uri += c;
    }
    return uri;
}

} // namespace

sqlite_connection::sqlite_connection(fs::path path, std::chrono::milliseconds patience)
    : path_{std::move(path)}, patience_{patience} {
    make_private_file(path_);
    open(path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    wait_for_locks(patience_);
    if (::sqlite3_db_readonly(handle_.get(), "main") == 1) refuse("it is not writable");
}

sqlite_connection sqlite_connection::read_only(fs::path path, bool with_log) {
    sqlite_connection opened{std::move(path)};
    const auto name = uri_of(opened.path_) + (with_log ? "?mode=ro" : "?mode=ro&immutable=1");
    opened.open(name, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    opened.wait_for_locks(a_moment);
    ::sqlite3_db_config(opened.handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    return opened;
}

void sqlite_connection::open(const std::string& name, int flags) {
    sqlite3* opened = nullptr;
    flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int result = ::sqlite3_open_v2(name.c_str(), &opened, flags, nullptr);
    handle_.reset(opened);
    check(result, "open");
}

void sqlite_connection::check(int result, const char* what) const {
    if (result == SQLITE_OK || result == SQLITE_ROW || result == SQLITE_DONE) return;
    const auto text = std::string{"cannot "} + what + ' ' + path_.string() + ": " + reason(result);
    switch (result & 0xFF) {
    case SQLITE_BUSY: throw sqlite_locked{text};
    case SQLITE_CONSTRAINT: // of the operator's own: a trigger, a CHECK
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG: throw events_refused{text};
    default: throw std::runtime_error{text};
    }
}

void sqlite_connection::check_row(int result, const char* what) const {
    if (result != SQLITE_ERROR) return check(result, what);
    throw events_refused{std::string{"cannot "} + what + ' ' + path_.string() + ": " + reason(result)};
}

void sqlite_connection::refuse(const std::string& why) const {
    throw std::runtime_error{"cannot use " + path_.string() + ": " + why};
}

sqlite_statement sqlite_connection::prepare(const std::string& sql) const {
    sqlite3_stmt* prepared = nullptr;
    const int result = ::sqlite3_prepare_v3(
        handle_.get(), sql.c_str(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &prepared,
        nullptr
    );
    check(result, "use");
    return sqlite_statement{prepared};
}

void sqlite_connection::run(const std::string& sql) const {
    check(::sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr), "use");
}

std::string sqlite_connection::text(const std::string& sql) const {
    const auto query = prepare(sql);
    check(::sqlite3_step(query.get()), "use");
    const auto* value = reinterpret_cast<const char*>(::sqlite3_column_text(query.get(), 0));
    return value == nullptr ? "" : value;
}

std::int64_t sqlite_connection::number(const std::string& sql) const {
    const auto query = prepare(sql);
    check(::sqlite3_step(query.get()), "use");
    return ::sqlite3_column_int64(query.get(), 0);
}

std::size_t sqlite_connection::changes() const {
    return static_cast<std::size_t>(::sqlite3_changes(handle_.get()));
}

bool sqlite_connection::checkpoint() const noexcept {
    int frames = 0;
    int copied = 0;
    const int result =
        ::sqlite3_wal_checkpoint_v2(handle_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);
    return result == SQLITE_OK && frames == copied;
}

bool sqlite_connection::empty_log() const {
    wait_for_locks(a_moment);
    const int result =
        ::sqlite3_wal_checkpoint_v2(handle_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    wait_for_locks(patience_);
    if ((result & 0xFF) == SQLITE_BUSY) return false;
    check(result, "empty the log of");
    return true;
}

fs::path sqlite_connection::log_path() const {
    return ::sqlite3_filename_wal(::sqlite3_db_filename(handle_.get(), "main"));
}

void sqlite_connection::roll_back() const noexcept {
    if (::sqlite3_get_autocommit(handle_.get()) == 0)
        ::sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void sqlite_connection::keep_log() const noexcept {
    int on = 1;
    ::sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_PERSIST_WAL, &on);
    ::sqlite3_exec(handle_.get(), "PRAGMA journal_size_limit = -1", nullptr, nullptr, nullptr);
}

std::string sqlite_connection::reason(int result) const {
    if (!handle_) return ::sqlite3_errstr(result);
    std::string text = ::sqlite3_errmsg(handle_.get());
    const int kind = result & 0xFF;
    if (kind != SQLITE_IOERR && kind != SQLITE_CANTOPEN) return text;
    // What the operating system said, where SQLite has kept it; else the number that says during what.
    const int system = ::sqlite3_system_errno(handle_.get());
    text += system != 0 ? " (" + std::generic_category().message(system) + ')'
                        : " (SQLite error " + std::to_string(result) + ')';
    return text;
}

void sqlite_connection::wait_for_locks(std::chrono::milliseconds patience) const noexcept {
    ::sqlite3_busy_timeout(handle_.get(), static_cast<int>(patience.count()));
}

} // namespace trackd::sinks
