#include "sinks/postgres_errors.hpp"

#include "sinks/postgres_rows.hpp"

#include <simdjson.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

namespace trackd::sinks {

namespace {

struct advice {
    std::string_view code;
    std::string_view what;
};

constexpr auto known = std::to_array<advice>({
    {"25006",
     "expected a server that takes writes: target_session_attrs=read-write chooses one of several hosts"},
    {"3F000", "make the schema"},
    {"42501",
     "the user needs INSERT on the table, and SELECT on its columns source and id; with create_table = true "
     "CREATE on the schema, too"},
    {"42703", "expected the columns that docs/sinks.md shows"},
    {"42804", "expected the columns that docs/sinks.md shows"},
    {"42809", "expected a table: trackd writes to no view and to no foreign table"},
    {"42P01", "make the table, as docs/sinks.md shows, or set create_table = true"},
    {"42P10", "expected PRIMARY KEY (source, id), or a unique index on both, so that each event is there once"
    },
    {"53100", "the server's disk is full"},
    {"57014", "it took longer than statement_timeout, or somebody cancelled it"},
});

// In UTF-8 a control character of ISO 6429 is C2, and then 80 to 9F.
bool is_c1(std::string_view text) {
    return text.size() > 1 && text[0] == '\xC2' && static_cast<unsigned char>(text[1]) < 0xA0;
}

} // namespace

// Class 22 is what a column's type does not take, 23 what a constraint forbids, 44 what a view does; 54 is the size of
// a value; P0001 is what somebody's own trigger raises.
bool is_about_rows(std::string_view sqlstate) noexcept {
    const auto kind = sqlstate.substr(0, 2);
    return kind == "22" || kind == "23" || kind == "44" || kind == "54" || sqlstate == "P0001";
}

bool is_about_rows(const postgres_error& error) noexcept {
    const bool names_another =
        error.sqlstate == "23502" && !error.column.empty() &&
        std::ranges::find(postgres_columns, error.column, &postgres_column::name) == postgres_columns.end();
    return is_about_rows(std::string_view{error.sqlstate}) && !names_another;
}

// Class 08 is the connection, 25 the transaction's state, 53 resources, 57P the server's end, 58 and XX its disk and itself.
bool is_about_session(std::string_view sqlstate) noexcept {
    const auto kind = sqlstate.substr(0, 2);
    return kind == "08" || kind == "25" || kind == "53" || kind == "58" || kind == "XX" ||
           sqlstate.starts_with("57P");
}

// A key that is already there; or a table with security policies.
bool is_about_copy(std::string_view sqlstate) noexcept {
    return sqlstate == "23505" || sqlstate == "0A000";
}

std::string_view postgres_advice(std::string_view sqlstate) noexcept {
    const auto* found = std::ranges::find(known, sqlstate, &advice::code);
    return found != known.end() ? found->what : std::string_view{};
}

std::string
format_postgres_error(const std::string& where, std::string_view text, std::string_view sqlstate) {
    const auto advice = postgres_advice(sqlstate);
    return fmt::format("{}: {} (SQLSTATE {}){}{}", where, text, sqlstate, advice.empty() ? "" : "; ", advice);
}

std::string on_one_line(std::string_view text) {
    const bool is_utf8 = simdjson::validate_utf8(text.data(), text.size());
    std::string out;
    for (; !text.empty(); text.remove_prefix(1)) {
        const auto byte = static_cast<unsigned char>(text.front());
        if (byte > 0x20 && byte != 0x7F && !is_c1(text)) {
            out += is_utf8 || byte < 0x80 ? text.front() : '?';
        } else {
            if (byte >= 0x80) text.remove_prefix(1);
            if (!out.empty() && !out.ends_with(' ')) out += ' ';
        }
    }
    if (out.ends_with(' ')) out.pop_back();
    return out;
}

std::string without_quoted(std::string_view text) {
    std::string out;
    bool quoted = false;
    for (const char c : on_one_line(text)) {
        if (c == '"')
            out += quoted ? "…\"" : "\"";
        else if (!quoted)
            out += c;
        if (c == '"') quoted = !quoted;
    }
    return out;
}

} // namespace trackd::sinks
