// Which tables take every event, each once; against a real server: test/e2e/sink_postgres_tables.py.
#include "sinks/postgres_rows.hpp"
#include "sinks/postgres_statements.hpp"
#include "sinks/postgres_table.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <string>

using namespace trackd::sinks;

namespace {

postgres_table documented_table() {
    postgres_table table;
    table.user = "clerk";
    for (const auto& written : postgres_columns)
        table.columns.push_back(
            {.name = std::string{written.name}, .type_name = "what it is", .type = written.type}
        );
    table.unique_indexes.push_back({.name = "events_pkey", .columns = "id, source"});
    return table;
}

postgres_table_column& column_of(postgres_table& table, std::string_view name) {
    return *std::ranges::find(table.columns, name, &postgres_table_column::name);
}

/// `SQLSTATE TEXT`, empty for a table that fits.
std::string misfit_of(const postgres_table& table) {
    const auto misfit = find_misfit(table);
    return misfit ? misfit->sqlstate + " " + misfit->text : "";
}

std::string misfit_of_index(const postgres_table_index& index) {
    auto table = documented_table();
    table.unique_indexes = {index};
    return misfit_of(table);
}

std::string misfit_of_kind(char kind) {
    auto table = documented_table();
    table.kind = kind;
    return misfit_of(table);
}

constexpr auto expected_key =
    ", expected a unique index on (source, id) that is valid, not partial and not deferrable";

} // namespace

TEST_CASE("the documented table takes every event", "[sinks][postgres]") {
    CHECK(misfit_of(documented_table()).empty());
}

TEST_CASE("a partitioned table does, a view and a foreign table do not", "[sinks][postgres]") {
    CHECK(misfit_of_kind('p').empty());
    CHECK(misfit_of_kind('v') == "42809 it is a view, expected a table");
    CHECK(misfit_of_kind('m') == "42809 it is a materialized view, expected a table");
    CHECK(misfit_of_kind('f') == "42809 it is a foreign table, expected a table");
    auto table = documented_table();
    table.persistence = 't';
    CHECK(misfit_of(table) == "42809 it is a temporary table, expected a permanent one");
    table.persistence = 'u';
    CHECK(misfit_of(table).empty());
}

TEST_CASE("each column has to be there with its type", "[sinks][postgres]") {
    for (const auto& written : postgres_columns) {
        CAPTURE(written.name);
        auto table = documented_table();
        auto& column = column_of(table, written.name);
        column.type = 114;
        column.type_name = "json";
        const auto begin = "42804 column " + std::string{written.name} + " is json, expected ";
        CHECK(misfit_of(table).starts_with(begin));
        std::erase_if(table.columns, [&](const auto& one) { return one.name == written.name; });
        CHECK(misfit_of(table).starts_with("42703 column " + std::string{written.name} + " is missing, "));
    }
}

TEST_CASE("a misfit names what was found and what is expected", "[sinks][postgres]") {
    auto table = documented_table();
    column_of(table, "data").type = 25;
    column_of(table, "data").type_name = "text";
    column_of(table, "time").type = 0;
    column_of(table, "time").type_name = "timestamp(3) with time zone";
    column_of(table, "data_text").is_generated = true;
    CHECK(
        misfit_of(table) == "42804 column time is timestamp(3) with time zone, expected timestamp with time "
                            "zone; column data is text, expected jsonb; column data_text is generated, "
                            "expected one that is written"
    );
}

TEST_CASE("of many misfits the first ones are named, and the others counted", "[sinks][postgres]") {
    auto table = documented_table();
    table.columns.clear();
    const auto misfit = misfit_of(table);
    CHECK(misfit.starts_with("42703 column id is missing, expected text; column source is missing"));
    CHECK(misfit.ends_with("column received_at is missing, expected timestamp with time zone; and 6 more"));
}

TEST_CASE("another column has to have a value without the sink's help", "[sinks][postgres]") {
    auto table = documented_table();
    table.columns.push_back({.name = "tenant", .type_name = "text", .type = 25});
    CHECK(misfit_of(table).empty());
    table.columns.back().not_null = true;
    CHECK(
        misfit_of(table) ==
        "23502 column tenant is NOT NULL and has no default, expected a default or NULL allowed"
    );
    table.has_row_triggers = true; // which may give it one
    CHECK(misfit_of(table).empty());
    table.has_row_triggers = false;
    table.columns.back().is_generated = true;
    CHECK(misfit_of(table).empty());
    table.columns.back().is_generated = false;
    table.columns.back().has_default = true;
    CHECK(misfit_of(table).empty());
    column_of(table, "subject").not_null = true; // a constraint on events
    CHECK(misfit_of(table).empty());
}

TEST_CASE("the key is one that ON CONFLICT can choose", "[sinks][postgres]") {
    auto none = documented_table();
    none.unique_indexes.clear();
    CHECK(misfit_of(none) == std::string{"42P10 the key is missing"} + expected_key);
    const std::string found = "42P10 the key is not usable (found k ";
    CHECK(misfit_of_index({.name = "k", .columns = "id"}) == found + "on (id))" + expected_key);
    CHECK(misfit_of_index({.name = "k", .columns = "id, source, type"}).starts_with(found + "on ("));
    const std::string key = "id, source";
    CHECK(misfit_of_index({.name = "k", .columns = key, .has_expressions = true})
              .starts_with(found + "with an expression)"));
    CHECK(misfit_of_index({.name = "k", .columns = key, .is_partial = true}).starts_with(found + "partial)"));
    CHECK(misfit_of_index({.name = "k", .columns = key, .is_valid = false}).starts_with(found + "invalid)"));
    CHECK(misfit_of_index({.name = "k", .columns = key, .is_immediate = false})
              .starts_with(found + "deferrable)"));
    CHECK(misfit_of_index({.name = "k", .columns = key, .is_deterministic = false})
              .starts_with(found + "with a collation that takes different texts as equal)"));
}

TEST_CASE("a second index that ON CONFLICT chooses has to do as well", "[sinks][postgres]") {
    auto table = documented_table();
    const std::string key = "id, source";
    table.unique_indexes.push_back({.name = "other", .columns = "id"});
    table.unique_indexes.push_back({.name = "part", .columns = key, .is_partial = true});
    CHECK(misfit_of(table).empty());
    table.unique_indexes.push_back({.name = "folded", .columns = key, .is_deterministic = false});
    CHECK(misfit_of(table).starts_with("42P10 the key is not usable (found other on (id), part partial, "));
}

TEST_CASE("rules and missing privileges are named", "[sinks][postgres]") {
    auto table = documented_table();
    table.rules = "copy_away";
    CHECK(misfit_of(table) == "0A000 it has the rules copy_away, expected none for INSERT and UPDATE");
    table.rules.clear();
    column_of(table, "type").can_select = false; // which nothing reads
    CHECK(misfit_of(table).empty());
    column_of(table, "source").can_select = false;
    column_of(table, "type").can_insert = false;
    CHECK(
        misfit_of(table) == "42501 the user clerk lacks INSERT on type; the user clerk lacks SELECT on source"
    );
}

TEST_CASE("names stay names in every statement", "[sinks][postgres]") {
    const auto sql = make_postgres_statements(R"(a.it's "\)");
    CHECK(sql.table == R"("a"."it's ""\")");
    postgres_table table;
    table.oid = 7;
    table.versions = "{1,2}";
    const auto guard = make_postgres_guard(sql, table);
    CHECK(guard.find(R"(to_regclass(E'"a"."it''s ""\\"'))") != guard.npos);
    CHECK(guard.find("attrelid = 7 AND") != guard.npos);
    CHECK(guard.find("= '{1,2}'") != guard.npos);
}
