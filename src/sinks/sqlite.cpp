#include "sinks/sqlite.hpp"

#include "base/log.hpp"
#include "base/rfc3339.hpp"

#include <simdjson.h>
#include <sqlite3.h>

#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace trackd::sinks {

namespace fs = std::filesystem;

namespace {

constexpr int application_id = 0x74726B64; // "trkd": whose database a file is
constexpr int schema_version = 1;          // in user_version

// A table with a rowid, and the key's index beside it: as fast as WITHOUT ROWID where ids rise, like our own,
// and more than twice as fast where clients bring random ones, which then scatter over small index entries
// instead of whole rows (figures: docs/sinks.md). `data` has no type, and so no affinity: it keeps text as
// text and bytes as bytes.
constexpr auto schema = R"(
CREATE TABLE events (
    id              TEXT NOT NULL,
    source          TEXT NOT NULL,
    type            TEXT NOT NULL,
    time            TEXT NOT NULL,
    received_at     TEXT NOT NULL,
    subject         TEXT,
    datacontenttype TEXT,
    data,
    extensions      TEXT,
    PRIMARY KEY (source, id)
))";

constexpr std::size_t rows_a_statement = 20; // more brings nothing

std::string insert_of(std::size_t rows) {
    std::string sql =
        "INSERT INTO events "
        "(id, source, type, time, received_at, subject, datacontenttype, data, extensions) VALUES ";
    for (std::size_t i = 0; i < rows; ++i)
        sql += i == 0 ? "(?,?,?,?,?,?,?,?,?)" : ",(?,?,?,?,?,?,?,?,?)";
    return sql + " ON CONFLICT DO NOTHING";
}

struct closer {
    void operator()(sqlite3* connection) const noexcept { ::sqlite3_close(connection); }

    void operator()(sqlite3_stmt* statement) const noexcept { ::sqlite3_finalize(statement); }
};

using statement = std::unique_ptr<sqlite3_stmt, closer>;

// Somebody else has a lock: what may mend itself.
class locked : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

// SQLite's functions, with exceptions that name the database.
class connection {
public:
    explicit connection(const sqlite_options& options) : path_{options.path} {
        make_private_file();
        sqlite3* opened = nullptr;
        constexpr int flags =
            SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
        const int result = ::sqlite3_open_v2(path_.c_str(), &opened, flags, nullptr);
        handle_.reset(opened);
        check(result, "open");
        ::sqlite3_busy_timeout(handle_.get(), static_cast<int>(options.busy_timeout.count()));
        if (::sqlite3_db_readonly(handle_.get(), "main") == 1) refuse("it is not writable");
    }

    void check(int result, const char* what) const {
        if (result == SQLITE_OK || result == SQLITE_ROW || result == SQLITE_DONE) return;
        const auto text = std::string{"cannot "} + what + ' ' + path_.string() + ": " + reason(result);
        switch (result & 0xFF) {
        case SQLITE_BUSY: throw locked{text};
        case SQLITE_CONSTRAINT: // of the operator's own: a trigger, a CHECK
        case SQLITE_MISMATCH:
        case SQLITE_TOOBIG: throw events_refused{text};
        default: throw std::runtime_error{text};
        }
    }

    [[noreturn]] void refuse(const std::string& why) const {
        throw std::runtime_error{"cannot use " + path_.string() + ": " + why};
    }

    [[nodiscard]] statement prepare(const std::string& sql) const {
        sqlite3_stmt* prepared = nullptr;
        const int result = ::sqlite3_prepare_v3(
            handle_.get(), sql.c_str(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &prepared,
            nullptr
        );
        check(result, "use");
        return statement{prepared};
    }

    void run(const std::string& sql) const {
        check(::sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr), "use");
    }

    // The first column of the first row.
    [[nodiscard]] std::string text(const std::string& sql) const {
        const auto query = prepare(sql);
        check(::sqlite3_step(query.get()), "use");
        const auto* value = reinterpret_cast<const char*>(::sqlite3_column_text(query.get(), 0));
        return value == nullptr ? "" : value;
    }

    [[nodiscard]] int number(const std::string& sql) const {
        const auto query = prepare(sql);
        check(::sqlite3_step(query.get()), "use");
        return ::sqlite3_column_int(query.get(), 0);
    }

    [[nodiscard]] std::size_t changes() const {
        return static_cast<std::size_t>(::sqlite3_changes(handle_.get()));
    }

    // Whether the path no longer leads to the file that is open here.
    [[nodiscard]] bool has_moved() const {
        int moved = 0;
        ::sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
        return moved != 0;
    }

    void checkpoint() const noexcept {
        ::sqlite3_wal_checkpoint_v2(handle_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    }

private:
    [[nodiscard]] std::string reason(int result) const {
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

    // SQLite would make it readable for all. Only a new file is touched: closing a descriptor of a database
    // that is open elsewhere in this process would drop its locks.
    void make_private_file() const {
        const int fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) {
            ::close(fd);
        } else if (errno != EEXIST) {
            throw std::system_error{errno, std::generic_category(), "cannot make " + path_.string()};
        } else if (fs::is_directory(path_)) {
            refuse("it is a directory; expected the path of an SQLite database");
        }
    }

    fs::path path_;
    std::unique_ptr<sqlite3, closer> handle_;
};

bool is_text(std::string_view bytes) {
    return bytes.find('\0') == bytes.npos && simdjson::validate_utf8(bytes.data(), bytes.size());
}

// A prepared INSERT for a fixed number of rows.
class insertion {
public:
    insertion(const connection& to, std::size_t rows)
        : to_{to}, sql_{to.prepare(insert_of(rows))}, times_(2 * rows) {}

    /// @return how many of the events were not there before
    std::size_t run(std::span<const event_view> events) {
        column_ = 0;
        auto time = times_.begin();
        for (const auto& event : events) {
            bind_text(event.id);
            bind_text(event.source);
            bind_text(event.type);
            bind_time(*time++, event.time);
            bind_time(*time++, event.received_at);
            bind_text_or_null(event.subject);
            bind_text_or_null(event.datacontenttype);
            bind_data(event);
            bind_text_or_null(event.extensions);
        }
        to_.check(::sqlite3_step(sql_.get()), "write to");
        to_.check(::sqlite3_reset(sql_.get()), "write to");
        return to_.changes();
    }

private:
    void bind_text(std::string_view text) {
        to_.check(
            ::sqlite3_bind_text64(
                sql_.get(), ++column_, not_null(text), text.size(), SQLITE_STATIC, SQLITE_UTF8
            ),
            "write to"
        );
    }

    void bind_blob(std::string_view bytes) {
        to_.check(
            ::sqlite3_bind_blob64(sql_.get(), ++column_, not_null(bytes), bytes.size(), SQLITE_STATIC),
            "write to"
        );
    }

    void bind_null() { to_.check(::sqlite3_bind_null(sql_.get(), ++column_), "write to"); }

    void bind_text_or_null(std::string_view text) { text.empty() ? bind_null() : bind_text(text); }

    void bind_time(std::string& room, wall_time time) {
        room.clear();
        base::append_rfc3339(room, time);
        bind_text(room);
    }

    // Text with a NUL in it would be cut off there by most who read it: better bytes than half a text.
    void bind_data(const event_view& event) {
        switch (event.kind) {
        case data_kind::none: bind_null(); break;
        case data_kind::json: bind_text(event.data); break;
        case data_kind::text:
        case data_kind::binary: is_text(event.data) ? bind_text(event.data) : bind_blob(event.data); break;
        }
    }

    // A null pointer would store NULL, where an empty value is meant.
    static const char* not_null(std::string_view text) { return text.data() == nullptr ? "" : text.data(); }

    const connection& to_;
    statement sql_;
    std::vector<std::string> times_; // what is bound must live until the row is written
    int column_ = 0;
};

void check_schema(const connection& database) {
    const int owner = database.number("PRAGMA application_id");
    const int version = database.number("PRAGMA user_version");
    if (owner != application_id) {
        database.refuse(
            "it is an SQLite database that trackd did not make; expected one of its own, or no file"
        );
    }
    if (version > schema_version) {
        database.refuse(
            "its schema version is " + std::to_string(version) +
            ", of a newer trackd; this one knows versions up to " + std::to_string(schema_version)
        );
    }
}

void make_schema(const connection& database) {
    database.run("BEGIN IMMEDIATE");
    if (database.number("SELECT count(*) FROM sqlite_schema") == 0) { // nobody was faster
        database.run(schema);
        database.run("PRAGMA application_id = " + std::to_string(application_id));
        database.run("PRAGMA user_version = " + std::to_string(schema_version));
    }
    database.run("COMMIT");
}

// A connection that is ready to write.
class events_table {
public:
    explicit events_table(const sqlite_options& options) : database_{options} {
        // Whose it is comes first: a database of somebody else stays as it is.
        const bool is_new = database_.number("SELECT count(*) FROM sqlite_schema") == 0 &&
                            database_.number("PRAGMA application_id") == 0;
        if (!is_new) check_schema(database_);
        if (const auto mode = database_.text("PRAGMA journal_mode = WAL"); mode != "wal") {
            database_.refuse("it cannot have a write-ahead log, its journal mode stays " + mode);
        }
        database_.run("PRAGMA synchronous = FULL");
        if (is_new) make_schema(database_);
        check_schema(database_);
        many_.emplace(database_, rows_a_statement);
        one_.emplace(database_, 1);
    }

    // What was moved away shall be whole, without its log, which nobody will look for.
    ~events_table() { database_.checkpoint(); }

    events_table(const events_table&) = delete;
    events_table& operator=(const events_table&) = delete;

    [[nodiscard]] bool has_moved() const { return database_.has_moved(); }

    /// Everything in one transaction. If it throws, the object must be destroyed, which rolls back.
    /// @return how many of the events were not there before
    std::size_t insert(std::span<const event_view> events) {
        std::size_t inserted = 0;
        database_.run("BEGIN IMMEDIATE");
        for (; events.size() >= rows_a_statement; events = events.subspan(rows_a_statement)) {
            inserted += many_->run(events.first(rows_a_statement));
        }
        for (; !events.empty(); events = events.subspan(1))
            inserted += one_->run(events.first(1));
        database_.run("COMMIT");
        return inserted;
    }

private:
    connection database_;
    std::optional<insertion> many_;
    std::optional<insertion> one_;
};

class sqlite_sink final : public sink {
public:
    explicit sqlite_sink(sqlite_options options) : options_{std::move(options)} {
        // Absolute, so that no name is special to SQLite (":memory:").
        options_.path = fs::absolute(options_.path);
    }

    void open() override {
        try {
            table_.emplace(options_);
        } catch (const locked& error) {
            base::log().warn("{}; the first write tries again", error.what());
        }
    }

    write_result write(std::span<const event_view> events, std::stop_token stop) override {
        if (stop.stop_requested()) return {};
        try {
            follow_path();
            const auto inserted = table_->insert(events);
            return {.confirmed = events.size(), .duplicates = events.size() - inserted};
        } catch (...) {
            table_.reset();
            throw;
        }
    }

    void close() override { table_.reset(); }

private:
    void follow_path() {
        if (table_ && table_->has_moved()) {
            base::log().info("{} was moved away or removed: making a new one", options_.path.string());
            table_.reset();
        }
        if (!table_) table_.emplace(options_);
    }

    sqlite_options options_;
    std::optional<events_table> table_;
};

} // namespace

std::unique_ptr<sink> make_sqlite_sink(sqlite_options options) {
    return std::make_unique<sqlite_sink>(std::move(options));
}

} // namespace trackd::sinks
