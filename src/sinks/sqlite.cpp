#include "sinks/sqlite.hpp"

#include "base/log.hpp"
#include "base/rfc3339.hpp"
#include "sinks/sqlite_connection.hpp"
#include "sinks/sqlite_schema.hpp"
#include "sinks/sqlite_upkeep.hpp"

#include <simdjson.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trackd::sinks {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t rows_a_statement = 20; // more brings nothing

std::string insert_of(std::size_t rows) {
    std::string sql =
        "INSERT INTO events "
        "(id, source, type, time, received_at, subject, datacontenttype, data, extensions) VALUES ";
    for (std::size_t i = 0; i < rows; ++i)
        sql += i == 0 ? "(?,?,?,?,?,?,?,?,?)" : ",(?,?,?,?,?,?,?,?,?)";
    return sql + " ON CONFLICT DO NOTHING";
}

bool is_text(std::string_view bytes) {
    return bytes.find('\0') == bytes.npos && simdjson::validate_utf8(bytes.data(), bytes.size());
}

// A prepared INSERT for a fixed number of rows.
class insertion {
public:
    insertion(const sqlite_connection& to, std::size_t rows)
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

    const sqlite_connection& to_;
    sqlite_statement sql_;
    std::vector<std::string> times_; // what is bound must live until the row is written
    int column_ = 0;
};

// A connection that is ready to write.
class events_table {
public:
    explicit events_table(const sqlite_options& options) : database_{options.path, options.busy_timeout} {
        prepare_sqlite_schema(database_, options.indexes);
        bound_sqlite_log(database_, options.log_bytes);
        many_.emplace(database_, rows_a_statement);
        one_.emplace(database_, 1);
    }

    // What was moved away shall be whole, without its log, which nobody will look for.
    ~events_table() { database_.checkpoint(); }

    events_table(const events_table&) = delete;
    events_table& operator=(const events_table&) = delete;

    [[nodiscard]] const sqlite_connection& database() const noexcept { return database_; }

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
    sqlite_connection database_;
    std::optional<insertion> many_;
    std::optional<insertion> one_;
};

class sqlite_sink final : public sink {
public:
    explicit sqlite_sink(sqlite_options options)
        : options_{std::move(options)}, upkeep_{options_.keep, options_.log_bytes, options_.now} {
        // Absolute, so that no name is special to SQLite (":memory:").
        options_.path = fs::absolute(options_.path);
    }

    void open() override {
        try {
            table_.emplace(options_);
        } catch (const sqlite_locked& error) {
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

    [[nodiscard]] bool has_upkeep() const noexcept override { return true; }

    bool upkeep(std::stop_token stop) override {
        if (!table_ || table_->database().has_moved()) return false; // the next write makes another one
        return upkeep_.portion(table_->database(), stop);
    }

    void close() override {
        upkeep_.close(options_.path);
        table_.reset();
    }

private:
    void follow_path() {
        if (table_ && table_->database().has_moved()) {
            base::log().info("{} was moved away or removed: making a new one", options_.path.string());
            table_.reset();
        }
        if (!table_) table_.emplace(options_);
    }

    sqlite_options options_;
    std::optional<events_table> table_;
    sqlite_upkeep upkeep_;
};

} // namespace

std::unique_ptr<sink> make_sqlite_sink(sqlite_options options) {
    return std::make_unique<sqlite_sink>(std::move(options));
}

} // namespace trackd::sinks
