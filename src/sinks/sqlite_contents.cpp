#include "sinks/sqlite_contents.hpp"

#include <stdexcept>
#include <string>

namespace trackd::sinks {

namespace {

constexpr auto activity = "look into";

bool has_rows(const sqlite_connection& database) {
    return database.number("SELECT EXISTS (SELECT 1 FROM main.events)") != 0;
}

void bind(
    const sqlite_connection& database, const sqlite_statement& lookup, int column, const std::string& text
) {
    const int result =
        ::sqlite3_bind_text64(lookup.get(), column, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    database.check(result, activity);
}

bool is_stored(
    const sqlite_connection& database, const sqlite_statement& lookup, const destination_check::event_key& key
) {
    bind(database, lookup, 1, key.source);
    bind(database, lookup, 2, key.id);
    const int result = ::sqlite3_step(lookup.get());
    database.check(result, activity);
    database.check(::sqlite3_reset(lookup.get()), activity);
    return result == SQLITE_ROW;
}

void look(
    const sqlite_connection& database, bool is_new, std::chrono::milliseconds keep, wall_time now,
    destination_check& check
) {
    const auto where = database.path().string();
    const bool is_kept = keep == keep.zero();
    if (is_new) return check.found_new(where);
    if (is_kept && !has_rows(database)) return check.found_empty(where);
    const auto keys = check.take_last(is_kept ? wall_time::min() : now - keep);
    const auto lookup = database.prepare("SELECT 1 FROM main.events WHERE source = ? AND id = ?");
    for (const auto& key : keys)
        if (is_stored(database, lookup, key)) return;
    if (!keys.empty()) check.found_none_of(keys.size(), where);
}

} // namespace

void check_sqlite_contents(
    const sqlite_connection& database, bool is_new, std::chrono::milliseconds keep, wall_time now,
    destination_check& check
) noexcept {
    try {
        look(database, is_new, keep, now, check);
    } catch (const std::exception&) { // it is locked, or damaged
    }
}

} // namespace trackd::sinks
