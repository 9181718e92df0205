#include "sinks/sqlite_fit.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::sinks {

namespace {

constexpr std::array<std::string_view, 9> written_columns{
    "id", "source", "type", "time", "received_at", "subject", "datacontenttype", "data", "extensions"
};

struct column {
    std::string name;
    std::string type;
    bool not_null = false;
    std::string default_value;
    int key_index = 0; // in the primary key, from 1
    int hidden = 0;    // 2 and 3: generated
};

std::string lowercase(std::string_view text) {
    std::string lower{text};
    for (auto& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

[[noreturn]] void refuse(const sqlite_connection& database, const std::string& reason) {
    throw sqlite_misfit{"cannot use " + database.path().string() + ": " + reason};
}

std::string text_at(const sqlite_statement& query, int index) {
    const auto* value = reinterpret_cast<const char*>(::sqlite3_column_text(query.get(), index));
    return value == nullptr ? "" : value;
}

bool next_row(const sqlite_connection& database, const sqlite_statement& query) {
    const int result = ::sqlite3_step(query.get());
    database.check(result, "use");
    return result == SQLITE_ROW;
}

std::vector<column> read_columns(const sqlite_connection& database) {
    const auto query = database.prepare(
        "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo('events', 'main')"
    );
    std::vector<column> columns;
    while (next_row(database, query))
        columns.push_back({
            .name = lowercase(text_at(query, 0)),
            .type = text_at(query, 1),
            .not_null = ::sqlite3_column_int(query.get(), 2) != 0,
            .default_value = text_at(query, 3),
            .key_index = ::sqlite3_column_int(query.get(), 4),
            .hidden = ::sqlite3_column_int(query.get(), 5),
        });
    return columns;
}

// By SQLite's own rules ("Determination Of Column Affinity"): whether a column keeps text as it is. A column that would
// turn digits into a number keeps a time and a JSON object, which never look like one.
bool keeps_text(std::string_view name, const std::string& type, bool strict) {
    const auto lower = lowercase(type);
    const auto has = [&](std::string_view part) { return lower.find(part) != lower.npos; };
    if (strict) return lower == "text" || lower == "any";
    if (name == "time" || name == "received_at" || name == "extensions") return true;
    if (has("int")) return false;
    if (has("char") || has("clob") || has("text")) return true;
    return type.empty() || has("blob");
}

void check_kind(const sqlite_connection& database) {
    const auto type = database.text("SELECT type FROM main.sqlite_schema WHERE lower(name) = 'events'");
    if (type.empty()) refuse(database, "no such table: events");
    if (type != "table") refuse(database, "events is a " + type + "; expected a table");
    if (database.text("SELECT type FROM pragma_table_list('events') WHERE schema = 'main'") != "table")
        refuse(database, "events is a virtual table; expected an ordinary one");
}

void check_written(const sqlite_connection& database, const std::vector<column>& columns, bool strict) {
    for (const auto name : written_columns) {
        const auto found = std::ranges::find(columns, name, &column::name);
        const auto label = "the column " + std::string{name} + " of events ";
        if (found == columns.end()) refuse(database, label + "is missing");
        if (found->hidden != 0) refuse(database, label + "is generated; expected one that can be written");
        if (!keeps_text(name, found->type, strict))
            refuse(
                database, label + "has the type " + found->type +
                              ", which changes text or refuses it; expected TEXT" +
                              (name == "data" ? " or no type" : "")
            );
    }
}

// A row needs a value for it that the sink does not have.
bool is_unfillable(const column& of, bool is_rowid) {
    return of.not_null && of.hidden == 0 && !is_rowid &&
           (of.default_value.empty() || lowercase(of.default_value) == "null");
}

void check_others(const sqlite_connection& database, const std::vector<column>& columns) {
    const auto in_key = std::ranges::count_if(columns, [](const column& of) { return of.key_index > 0; });
    for (const auto& of : columns) {
        if (std::ranges::find(written_columns, of.name) != written_columns.end()) continue;
        const bool is_rowid = in_key == 1 && of.key_index == 1 && lowercase(of.type) == "integer";
        if (is_unfillable(of, is_rowid))
            refuse(
                database, "the column " + of.name +
                              " of events is NOT NULL without a default, and trackd does not write it"
            );
    }
}

struct key_columns {
    std::vector<std::string> names; // sorted
    std::string other_collation;    // of a column that does not compare bytes
};

key_columns read_index(const sqlite_connection& database, const std::string& index) {
    const auto query = database.prepare("SELECT name, coll FROM pragma_index_xinfo(?, 'main') WHERE key = 1");
    database.check(
        ::sqlite3_bind_text64(query.get(), 1, index.data(), index.size(), SQLITE_STATIC, SQLITE_UTF8), "use"
    );
    key_columns found;
    while (next_row(database, query)) {
        found.names.push_back(lowercase(text_at(query, 0))); // of an expression: empty
        if (const auto collation = text_at(query, 1); lowercase(collation) != "binary")
            found.other_collation = collation;
    }
    std::ranges::sort(found.names);
    return found;
}

void check_key(const sqlite_connection& database) {
    const auto query = database.prepare(
        "SELECT name FROM pragma_index_list('events', 'main') WHERE \"unique\" = 1 AND partial = 0"
    );
    std::string collation;
    bool found = false;
    while (next_row(database, query)) {
        const auto key = read_index(database, text_at(query, 0));
        if (key.names != std::vector<std::string>{"id", "source"}) continue;
        found = found || key.other_collation.empty();
        if (!key.other_collation.empty()) collation = key.other_collation;
    }
    if (!collation.empty())
        refuse(
            database, "a unique key (source, id) of events compares by " + collation +
                          ", which makes different events one; expected BINARY"
        );
    if (!found) refuse(database, "events has no unique key (source, id); expected PRIMARY KEY (source, id)");
}

// Words and punctuation of a definition, in lower case, one blank between them; without comments and quoted text.
std::string words_of(std::string_view sql) {
    std::string words;
    for (std::size_t i = 0; i < sql.size(); ++i) {
        const auto rest = sql.substr(i);
        std::size_t skipped = 0;
        if (rest.starts_with("--"))
            skipped = std::min(rest.find('\n'), rest.size());
        else if (rest.starts_with("/*"))
            skipped = std::min(rest.find("*/", 2), rest.size() - 2) + 2;
        else if (rest[0] == '\'' || rest[0] == '"' || rest[0] == '`')
            skipped = std::min(rest.find(rest[0], 1), rest.size() - 1) + 1;
        const bool is_blank = skipped > 0 || rest[0] == ' ' || (rest[0] >= '\t' && rest[0] <= '\r');
        if (!is_blank)
            words += rest[0];
        else if (!words.empty() && words.back() != ' ')
            words += ' ';
        if (skipped > 0) i += skipped - 1;
    }
    return lowercase(words);
}

// Such a constraint deletes the row of another event to make room for a new one.
void check_clauses(const sqlite_connection& database) {
    const auto sql = database.text("SELECT sql FROM main.sqlite_schema WHERE lower(name) = 'events'");
    if (words_of(sql).find("on conflict replace") != std::string::npos)
        refuse(
            database, "a constraint of events has ON CONFLICT REPLACE, which deletes rows of other events"
        );
}

} // namespace

void check_sqlite_fit(const sqlite_connection& database) {
    check_kind(database);
    const auto columns = read_columns(database);
    const bool strict =
        database.number("SELECT strict FROM pragma_table_list('events') WHERE schema = 'main'") != 0;
    check_written(database, columns, strict);
    check_others(database, columns);
    check_key(database);
    check_clauses(database);
}

} // namespace trackd::sinks
