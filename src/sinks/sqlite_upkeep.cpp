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

std::size_t delete_oldest(const sqlite_connection& database, wall_time older_than) {
    std::string time;
    base::append_rfc3339(time, older_than);
    const auto sql = database.prepare(delete_oldest_rows);
    database.check(
        ::sqlite3_bind_text64(sql.get(), 1, time.data(), time.size(), SQLITE_STATIC, SQLITE_UTF8),
        "delete old rows from"
    );
    database.check(::sqlite3_step(sql.get()), "delete old rows from");
    return database.changes();
}

std::uint64_t in_mib(std::uint64_t bytes) {
    return bytes >> 20U;
}

} // namespace

void bound_sqlite_log(const sqlite_connection& database, std::uint64_t bytes) {
    database.run("PRAGMA journal_size_limit = " + std::to_string(bytes));
}

sqlite_upkeep::sqlite_upkeep(std::chrono::milliseconds keep, std::uint64_t log_bytes, wall_clock now)
    : keep_{keep}, log_bytes_{log_bytes}, now_{std::move(now)} {}

bool sqlite_upkeep::portion(const sqlite_connection& database, const std::stop_token& stop) {
    const auto now = now_();
    const auto pass = std::exchange(pass_, {}); // an error ends it
    // Once a minute is enough, as it may have to wait; and it must not depend on whether rows can be deleted.
    if (!pass || now - cut_at_ >= std::chrono::minutes{1}) {
        cut_at_ = now;
        cut_log(database);
    }
    const auto began = pass.value_or(now);
    if (delete_old(database, began - keep_, stop)) pass_ = began;
    const auto since = pass_ ? std::max(began, said_) : said_;
    if (deleted_ > 0 && now - since >= std::chrono::hours{24}) say_deleted(database.path());
    return pass_.has_value();
}

void sqlite_upkeep::close(const std::filesystem::path& path) {
    if (deleted_ > 0) say_deleted(path);
}

bool sqlite_upkeep::delete_old(
    const sqlite_connection& database, wall_time older_than, const std::stop_token& stop
) {
    if (keep_ == keep_.zero()) return false;
    for (int i = 0; i < deletions_a_portion && !stop.stop_requested(); ++i) {
        const auto deleted = delete_oldest(database, older_than);
        if (deleted == 0) return false;
        deleted_ += deleted;
    }
    return true;
}

void sqlite_upkeep::say_deleted(const std::filesystem::path& path) {
    base::log().info("{}: deleted {} rows that were older than keep", path.string(), deleted_);
    deleted_ = 0;
    said_ = now_();
}

// Normally it has begun anew long before. That fails where there is always a reader, and needs a write.
void sqlite_upkeep::cut_log(const sqlite_connection& database) {
    const auto before = database.log_bytes();
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
