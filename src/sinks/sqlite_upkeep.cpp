#include "sinks/sqlite_upkeep.hpp"

#include "base/log.hpp"
#include "base/rfc3339.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace trackd::sinks {

namespace {

// More than a write of the default size brings, so that deleting gains on writing.
constexpr int deletions_a_portion = 3;

// A dead letter that was delivered late may be the very last.
constexpr auto newest_of_the_last =
    "SELECT max(received_at) FROM (SELECT received_at FROM events ORDER BY rowid DESC LIMIT 1000)";

constexpr std::int64_t rows_a_search = 20000; // as find_true_row says

constexpr auto activity = "delete old rows from";

// One of the statements that begin at a row and have a limit of time.
sqlite_statement prepare_from(
    const sqlite_connection& database, const char* sql, std::int64_t first_row, const std::string& time
) {
    auto statement = database.prepare(sql);
    database.check(::sqlite3_bind_int64(statement.get(), 1, first_row), activity);
    database.check(
        ::sqlite3_bind_text64(statement.get(), 2, time.data(), time.size(), SQLITE_TRANSIENT, SQLITE_UTF8),
        activity
    );
    return statement;
}

std::string text_of(wall_time time) {
    std::string text;
    base::append_rfc3339(text, time);
    return text;
}

std::uint64_t size_of(const std::filesystem::path& file) {
    std::error_code missing;
    const auto bytes = std::filesystem::file_size(file, missing);
    return missing ? 0 : bytes;
}

std::uint64_t in_mib(std::uint64_t bytes) {
    return bytes >> 20U;
}

} // namespace

void bound_sqlite_log(const sqlite_connection& database, std::uint64_t bytes) {
    database.run("PRAGMA journal_size_limit = " + std::to_string(bytes));
}

sqlite_upkeep::sqlite_upkeep(std::chrono::milliseconds keep, std::uint64_t log_bytes, wall_clock now)
    : keep_{keep}, log_bytes_{log_bytes}, now_{std::move(now)}, clock_{keep} {}

bool sqlite_upkeep::portion(const sqlite_connection& database, const std::stop_token& stop) {
    const auto now = now_();
    const auto pass = std::exchange(pass_, {}); // an error ends it
    // Once a minute is enough, as it may have to wait; and it must not depend on whether rows can be deleted.
    if (!pass || now - cut_at_ >= std::chrono::minutes{1}) {
        cut_at_ = now;
        cut_log(database);
    }
    if (!pass && keep_ > keep_.zero()) begin_pass(database, now);
    const auto began = pass.value_or(now);
    if (delete_old(database, stop)) pass_ = began;
    said_ = std::min(said_, now); // a clock that was ahead does not silence it
    const auto since = pass_ ? std::max(began, said_) : said_;
    if (deleted_ > 0 && now - since >= std::chrono::hours{24}) say_deleted(database.path());
    return pass_.has_value();
}

void sqlite_upkeep::remember_newest(const sqlite_connection& database) {
    if (keep_ == keep_.zero() || std::exchange(is_remembered_, true)) return;
    newest_at_first_ = base::parse_rfc3339(database.text(newest_of_the_last));
}

void sqlite_upkeep::begin_pass(const sqlite_connection& database, wall_time now) {
    auto newest = base::parse_rfc3339(database.text(newest_of_the_last));
    if (newest_at_first_) newest = newest_at_first_; // later rows may have a wrong clock's time
    newest_at_first_.reset();
    const auto reference = clock_.look(now, newest);
    older_than_ = reference - keep_;
    horizon_ = clock_.horizon();
    first_row_ = database.number("SELECT min(rowid) FROM events");
    const bool holds_back = clock_.holds_back();
    if (holds_back && !said_jump_)
        base::log().warn(
            "{}: the clock ({}) is far ahead of the newest row and of the time since then; rows are deleted "
            "as if "
            "it was {}, until the clock has gone on steadily for an hour",
            database.path().string(), text_of(now), text_of(reference)
        );
    said_jump_ = holds_back;
}

void sqlite_upkeep::close(const std::filesystem::path& path) {
    if (deleted_ > 0) say_deleted(path);
}

bool sqlite_upkeep::delete_old(const sqlite_connection& database, const std::stop_token& stop) {
    if (keep_ == keep_.zero()) return false;
    for (int i = 0; i < deletions_a_portion && !stop.stop_requested(); ++i)
        if (!delete_some(database)) return false;
    return true;
}

// False where no more is old enough.
bool sqlite_upkeep::delete_some(const sqlite_connection& database) {
    const auto found = prepare_from(database, find_true_row, first_row_, text_of(horizon_));
    const int result = ::sqlite3_step(found.get());
    database.check(result, activity);
    if (result != SQLITE_ROW) {
        first_row_ += rows_a_search;
        return first_row_ <= database.number("SELECT max(rowid) FROM events");
    }
    first_row_ = ::sqlite3_column_int64(found.get(), 0);
    ::sqlite3_reset(found.get());
    const auto sql = prepare_from(database, delete_oldest_rows, first_row_, text_of(older_than_));
    database.check(::sqlite3_step(sql.get()), activity);
    const auto deleted = database.changes();
    deleted_ += deleted;
    return deleted > 0;
}

void sqlite_upkeep::say_deleted(const std::filesystem::path& path) {
    base::log().info("{}: deleted {} rows that were older than keep", path.string(), deleted_);
    deleted_ = 0;
    said_ = now_();
}

// Normally it has begun anew long before. That fails where there is always a reader, and needs a write.
void sqlite_upkeep::cut_log(const sqlite_connection& database) {
    const auto before = size_of(database.log_path());
    if (before <= log_bytes_) {
        said_held_back_ = false;
    } else if (database.empty_log()) {
        base::log().info("{}: cut from {} MiB to nothing", database.log_path().string(), in_mib(before));
        said_held_back_ = false;
    } else if (!std::exchange(said_held_back_, true)) {
        base::log().warn(
            "{}: has grown to {} MiB, and grows on until the program ends its transaction that holds it back",
            database.log_path().string(), in_mib(before)
        );
    }
}

} // namespace trackd::sinks
