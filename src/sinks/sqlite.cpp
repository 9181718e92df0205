#include "sinks/sqlite.hpp"

#include "base/log.hpp"
#include "sinks/destination_check.hpp"
#include "sinks/file_calls.hpp"
#include "sinks/sqlite_check.hpp"
#include "sinks/sqlite_connection.hpp"
#include "sinks/sqlite_contents.hpp"
#include "sinks/sqlite_files.hpp"
#include "sinks/sqlite_fit.hpp"
#include "sinks/sqlite_insertion.hpp"
#include "sinks/sqlite_log_owner.hpp"
#include "sinks/sqlite_schema.hpp"
#include "sinks/sqlite_upkeep.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>

namespace trackd::sinks {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t rows_a_statement = 20; // more brings nothing

// What must be true of a path before SQLite opens it.
const fs::path& prepare_path(const fs::path& path) {
    set_foreign_log_aside(path);
    return path;
}

// A connection that is ready to write.
class events_table {
public:
    explicit events_table(const sqlite_options& options)
        : database_{prepare_path(options.path), options.busy_timeout} {
        is_new_ = prepare_sqlite_schema(database_, options.indexes);
        bound_sqlite_log(database_, options.log_bytes);
        adopt_schema();
        mark_log(options.path);
        files_.emplace(options.path);
    }

    // A database that is moved away or copied later is whole, without its log.
    ~events_table() { database_.checkpoint(); }

    events_table(const events_table&) = delete;
    events_table& operator=(const events_table&) = delete;

    [[nodiscard]] const sqlite_connection& database() const noexcept { return database_; }

    /// Whether this connection has made the table.
    [[nodiscard]] bool is_new() const noexcept { return is_new_; }

    [[nodiscard]] sqlite_files& files() noexcept { return *files_; }

    /// Everything in one transaction. After an exception, `roll_back` is to be called.
    /// @return how many of the events were not there before
    std::size_t insert(std::span<const event_view> events) {
        std::size_t inserted = 0;
        database_.run("BEGIN IMMEDIATE");
        if (schema_version() != known_schema_) adopt_schema(); // it cannot change any more
        for (; events.size() >= rows_a_statement; events = events.subspan(rows_a_statement)) {
            inserted += many_->run(events.first(rows_a_statement));
        }
        for (; !events.empty(); events = events.subspan(1))
            inserted += one_->run(events.first(1));
        database_.run("COMMIT");
        return inserted;
    }

    void roll_back() noexcept {
        if (many_) many_->reset();
        if (one_) one_->reset();
        database_.roll_back();
    }

private:
    [[nodiscard]] std::int64_t schema_version() {
        const auto result = ::sqlite3_step(version_.get());
        database_.check(result, "use");
        const auto version = ::sqlite3_column_int64(version_.get(), 0);
        database_.check(::sqlite3_reset(version_.get()), "use");
        return version;
    }

    void adopt_schema() {
        known_schema_ = -1;
        check_sqlite_fit(database_);
        prepare_insertions();
        version_ = database_.prepare("PRAGMA main.schema_version");
        known_schema_ = schema_version();
    }

    // A trigger or an index may need what is not there: a table, a function, a collation.
    void prepare_insertions() {
        try {
            many_.emplace(database_, rows_a_statement);
            one_.emplace(database_, 1);
        } catch (const sqlite_locked&) {
            throw;
        } catch (const std::runtime_error& error) {
            throw sqlite_misfit{error.what()};
        }
    }

    sqlite_connection database_;
    bool is_new_ = false;
    std::optional<sqlite_insertion> many_;
    std::optional<sqlite_insertion> one_;
    sqlite_statement version_;
    std::int64_t known_schema_ = -1; // of the operator's changes, too
    std::optional<sqlite_files> files_;
};

class sqlite_sink final : public sink {
public:
    explicit sqlite_sink(sqlite_options options)
        : options_{std::move(options)}, upkeep_{options_.keep, options_.log_bytes, options_.now} {
        // Absolute, so that no name is special to SQLite (":memory:").
        options_.path = fs::absolute(options_.path);
    }

    void check() override { check_sqlite_database(options_.path); }

    void open() override {
        make_directories(options_.path.parent_path());
        try {
            connect();
        } catch (const sqlite_locked& error) {
            base::log().warn("{}; the first write tries again", error.what());
        } catch (const sqlite_misfit& error) {
            base::log().error("{}; nothing is written to it until it fits again", error.what());
        }
    }

    write_result write(std::span<const event_view> events, std::stop_token stop) override {
        if (stop.stop_requested()) return {};
        try {
            follow_files();
            if (!table_) connect();
            const auto inserted = table_->insert(events);
            table_->files().remember_log();
            check_still_there();
            contents_.confirmed(events.size());
            return {.confirmed = events.size(), .duplicates = events.size() - inserted};
        } catch (...) {
            let_go();
            throw;
        }
    }

    void set_earlier_deliveries(const earlier_deliveries& before) override {
        contents_.expect(before);
        if (table_) check_contents();
    }

    [[nodiscard]] std::string warning() const override { return contents_.warning(); }

    [[nodiscard]] bool has_upkeep() const noexcept override { return true; }

    bool upkeep(std::stop_token stop) override {
        follow_files();
        if (!table_) return false; // the next write makes another one
        const bool has_more = upkeep_.portion(table_->database(), stop);
        table_->files().remember_log();
        return has_more;
    }

    void close() override {
        upkeep_.close(options_.path);
        follow_files();
        table_.reset();
    }

private:
    void connect() {
        table_.emplace(options_);
        upkeep_.remember_newest(table_->database());
        check_contents();
    }

    // Once a connection.
    void check_contents() {
        if (!contents_.expects_rows()) return;
        check_sqlite_contents(table_->database(), table_->is_new(), options_.keep, options_.now(), contents_);
    }

    /// What is written through a connection whose files have lost their names is lost by the next crash.
    /// @return false if the database was removed, and the connection closed
    bool follow_files() {
        if (!table_) return true;
        auto& files = table_->files();
        const auto state = files.state();
        if (state == sqlite_files_state::in_place) return true;
        if (state == sqlite_files_state::database_gone)
            files.leave(table_->database());
        else if (state == sqlite_files_state::log_cut)
            files.restart_log(table_->database());
        else
            files.save_log(table_->database());
        const auto left = files;
        table_.reset();
        left.settle();
        return state != sqlite_files_state::database_gone || left.moved_to().has_value();
    }

    // The rows count as delivered where they are found after a crash.
    void check_still_there() {
        if (follow_files()) return;
        throw std::runtime_error{
            "cannot use " + options_.path.string() + ": it was removed while events were written to it"
        };
    }

    // The next write begins with a new connection, unless this one is the only way to rows that count as delivered.
    void let_go() {
        if (!table_) return;
        table_->roll_back();
        if (table_->files().state() == sqlite_files_state::in_place) table_.reset();
    }

    sqlite_options options_;
    std::optional<events_table> table_;
    sqlite_upkeep upkeep_;
    destination_check contents_;
};

} // namespace

std::unique_ptr<sink> make_sqlite_sink(sqlite_options options) {
    return std::make_unique<sqlite_sink>(std::move(options));
}

} // namespace trackd::sinks
