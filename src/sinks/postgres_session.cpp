#include "sinks/postgres_session.hpp"

#include "sinks/postgres_catalog.hpp"
#include "sinks/postgres_rows.hpp"

#include <spdlog/fmt/fmt.h>

#include <charconv>
#include <stdexcept>
#include <utility>

namespace trackd::sinks {

namespace {

// The statements of a transaction, in this order: BEGIN, SET LOCAL, and these.
constexpr std::size_t lock_index = 2;
constexpr std::size_t guard_index = 3;
constexpr std::size_t write_index = 4;

std::size_t number_in(std::string_view text) {
    std::size_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::size_t rows_of(const std::vector<postgres_result>& results) {
    return number_in(::PQcmdTuples(results.at(write_index).get()));
}

postgres_misfit missing_table(const std::string& table) {
    return {.text = "relation \"" + table + "\" does not exist", .sqlstate = "42P01"};
}

} // namespace

postgres_session::postgres_session(
    const postgres_options& options, const postgres_statements& sql, spdlog::logger& log,
    const std::stop_token& stop
)
    : options_{options}, sql_{sql}, log_{log}, connection_{options, stop} {
    check_table(stop);
}

void postgres_session::check_table(const std::stop_token& stop) try {
    auto table = read_table(stop);
    if (!table && options_.create_table) {
        create_table(stop);
        table = read_table(stop);
    }
    const auto misfit = table ? find_misfit(*table) : missing_table(options_.table);
    if (misfit)
        throw std::runtime_error{
            describe(format_postgres_error(connection_.where(), misfit->text, misfit->sqlstate))
        };
    if (table->persistence == 'u')
        log_.warn("{}: it is unlogged, a crash of the server empties it", describe(connection_.where()));
    guard_ = make_postgres_guard(sql_, *table);
    table_ = std::move(*table);
} catch (const postgres_error& error) { // whatever it is about, no event was sent

    throw std::runtime_error{describe(error.what())};
}

std::optional<postgres_table> postgres_session::read_table(const std::stop_token& stop) {
    const auto results = run_script({sql_.describe, "COMMIT"}, {}, stop);
    return read_postgres_table(std::span{results}.subspan(lock_index));
}

void postgres_session::create_table(const std::stop_token& stop) try {
    run_script({sql_.create, "COMMIT"}, {}, stop);
    is_new_ = true;
    log_.info("table {} made in {}", options_.table, connection_.where());
} catch (const postgres_error& error) {

    throw std::runtime_error{"cannot make " + describe(error.what())};
}

std::size_t
postgres_session::copy(std::span<const event_view> events, ending end, const std::stop_token& stop) {
    std::vector<std::string> statements{sql_.lock, guard_, sql_.copy};
    if (end == ending::commit) statements.emplace_back("COMMIT");
    return rows_of(run_script(std::move(statements), copy_stream(events), stop));
}

std::size_t
postgres_session::insert(std::span<const event_view> events, ending end, const std::stop_token& stop) {
    const auto arrays = column_arrays(events);
    std::vector<postgres_statement> statements;
    for (auto& sql : begin({sql_.lock, guard_, sql_.insert}))
        statements.push_back({.sql = std::move(sql)});
    for (std::size_t i = 0; i < arrays.size(); ++i)
        statements.back().parameters.push_back({postgres_columns[i].array, arrays[i]});
    if (end == ending::commit) statements.push_back({.sql = "COMMIT"});
    return rows_of(connection_.run_pipeline(statements, stop));
}

std::optional<std::size_t>
postgres_session::find_missing(std::span<const event_view> events, const std::stop_token& stop) {
    const auto arrays = column_arrays(events);
    const postgres_statement query{
        .sql = sql_.find_missing,
        .parameters = {{postgres_columns[0].array, arrays[0]}, {postgres_columns[1].array, arrays[1]}}
    };
    const auto results = connection_.run_pipeline({&query, 1}, stop);
    const auto number = number_in(::PQgetvalue(results.at(0).get(), 0, 0)); // from 1 on, empty for none
    return number == 0 ? std::nullopt : std::optional{number - 1};
}

bool postgres_session::has_rows(const std::stop_token& stop) {
    const auto results = run_script({sql_.has_rows, "COMMIT"}, {}, stop);
    return ::PQgetvalue(results.at(lock_index).get(), 0, 0)[0] == 't';
}

bool postgres_session::has_any(std::span<const event_view> events, const std::stop_token& stop) {
    const auto arrays = column_arrays(events);
    std::vector<postgres_statement> statements;
    for (auto& sql : begin({sql_.has_any, "COMMIT"}))
        statements.push_back({.sql = std::move(sql)});
    for (const auto i : {0U, 1U})
        statements.at(lock_index).parameters.push_back({postgres_columns[i].array, arrays[i]});
    const auto results = connection_.run_pipeline(statements, stop);
    return ::PQgetvalue(results.at(lock_index).get(), 0, 0)[0] == 't';
}

void postgres_session::commit(const std::stop_token& stop) try {
    connection_.run_script("COMMIT", {}, stop);
} catch (postgres_error& error) { // a constraint that is checked now

    error.statement = write_index;
    throw;
}

void postgres_session::roll_back(const std::stop_token& stop) {
    connection_.run_script("ROLLBACK", {}, stop);
}

bool postgres_session::is_about_change(const postgres_error& error) {
    return (error.statement == guard_index && error.sqlstate == "22012") ||
           (error.statement == lock_index && error.sqlstate.starts_with("42"));
}

bool postgres_session::is_about_events(const postgres_error& error) {
    return error.statement >= write_index && is_about_rows(error);
}

bool postgres_session::is_for_insert(const postgres_error& error) {
    return error.statement >= write_index && is_about_copy(error.sqlstate);
}

std::string postgres_session::describe(std::string_view text) const {
    return fmt::format("table {} of {}", options_.table, text);
}

std::vector<std::string> postgres_session::begin(std::vector<std::string> statements) const {
    const auto begun = connection_.begin();
    statements.insert(statements.begin(), begun.begin(), begun.end());
    return statements;
}

std::vector<postgres_result> postgres_session::run_script(
    std::vector<std::string> statements, std::string_view data, const std::stop_token& stop
) {
    std::string sql;
    for (const auto& statement : begin(std::move(statements)))
        sql.append(sql.empty() ? "" : "; ").append(statement);
    return connection_.run_script(sql, data, stop);
}

} // namespace trackd::sinks
