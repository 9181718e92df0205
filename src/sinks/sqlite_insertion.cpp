#include "sinks/sqlite_insertion.hpp"

#include "base/rfc3339.hpp"

#include <trackd/sink.hpp>

#include <simdjson.h>

namespace trackd::sinks {

namespace {

constexpr auto activity = "write to";

// The conflict target is the key: without it a conflict with another unique index would look like a duplicate.
std::string insert_statement(std::size_t rows) {
    std::string sql =
        "INSERT INTO main.events "
        "(id, source, type, time, received_at, subject, datacontenttype, data, extensions) VALUES ";
    for (std::size_t i = 0; i < rows; ++i)
        sql += i == 0 ? "(?,?,?,?,?,?,?,?,?)" : ",(?,?,?,?,?,?,?,?,?)";
    return sql + " ON CONFLICT (source, id) DO NOTHING";
}

constexpr auto lookup_statement = "SELECT 1 FROM main.events WHERE source = ? AND id = ?";

bool is_text(std::string_view bytes) {
    return bytes.find('\0') == bytes.npos && simdjson::validate_utf8(bytes.data(), bytes.size());
}

// A null pointer would store NULL, where an empty value is meant.
const char* not_null(std::string_view text) {
    return text.data() == nullptr ? "" : text.data();
}

} // namespace

sqlite_insertion::sqlite_insertion(const sqlite_connection& database, std::size_t rows)
    : database_{database}, insert_{database.prepare(insert_statement(rows))},
      lookup_{database.prepare(lookup_statement)}, times_(2 * rows) {}

std::size_t sqlite_insertion::run(std::span<const event_view> events) {
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
    database_.check_row(::sqlite3_step(insert_.get()), activity);
    database_.check(::sqlite3_reset(insert_.get()), activity);
    const auto inserted = database_.changes();
    if (inserted < events.size()) check_stored(events);
    return inserted;
}

void sqlite_insertion::reset() noexcept {
    ::sqlite3_reset(insert_.get());
    ::sqlite3_reset(lookup_.get());
}

// A trigger with RAISE(IGNORE), or a constraint with ON CONFLICT IGNORE, drops a row without an error.
void sqlite_insertion::check_stored(std::span<const event_view> events) {
    for (const auto& event : events) {
        if (is_stored(event)) continue;
        throw events_refused{
            "cannot write to " + database_.path().string() +
            ": the database ignored a row that is not in the table, by a trigger with RAISE(IGNORE) or a "
            "constraint with ON CONFLICT IGNORE"
        };
    }
}

bool sqlite_insertion::is_stored(const event_view& event) {
    auto* const lookup = lookup_.get();
    const auto bind = [&](int column, std::string_view text) {
        database_.check(
            ::sqlite3_bind_text64(lookup, column, not_null(text), text.size(), SQLITE_STATIC, SQLITE_UTF8),
            activity
        );
    };
    bind(1, event.source);
    bind(2, event.id);
    const int result = ::sqlite3_step(lookup);
    database_.check(result, activity);
    database_.check(::sqlite3_reset(lookup), activity);
    return result == SQLITE_ROW;
}

void sqlite_insertion::bind_text(std::string_view text) {
    database_.check(
        ::sqlite3_bind_text64(
            insert_.get(), ++column_, not_null(text), text.size(), SQLITE_STATIC, SQLITE_UTF8
        ),
        activity
    );
}

void sqlite_insertion::bind_blob(std::string_view bytes) {
    database_.check(
        ::sqlite3_bind_blob64(insert_.get(), ++column_, not_null(bytes), bytes.size(), SQLITE_STATIC),
        activity
    );
}

void sqlite_insertion::bind_null() {
    database_.check(::sqlite3_bind_null(insert_.get(), ++column_), activity);
}

void sqlite_insertion::bind_text_or_null(std::string_view text) {
    text.empty() ? bind_null() : bind_text(text);
}

void sqlite_insertion::bind_time(std::string& buffer, wall_time time) {
    buffer.clear();
    base::append_rfc3339(buffer, time);
    bind_text(buffer);
}

// Most readers cut text off at a NUL: bytes are stored rather than half a text.
void sqlite_insertion::bind_data(const event_view& event) {
    switch (event.kind) {
    case data_kind::none: bind_null(); break;
    case data_kind::json: bind_text(event.data); break;
    case data_kind::text:
    case data_kind::binary: is_text(event.data) ? bind_text(event.data) : bind_blob(event.data); break;
    }
}

} // namespace trackd::sinks
