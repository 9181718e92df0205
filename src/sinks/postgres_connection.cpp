#include "sinks/postgres_connection.hpp"

#include "sinks/postgres_errors.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <vector>

namespace trackd::sinks {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds longest_deafness{100}; // to a stop
constexpr milliseconds grace{5'000};          // for the server to end what takes too long, before we do

PGconn* begin_connecting(const std::string& connection) {
    // The last one that sets something has its way. A peer that is gone is noticed after a minute.
    const std::array keywords{
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "fallback_application_name",
        "dbname",
        "client_encoding",
        static_cast<const char*>(nullptr)
    };
    const std::array values{
        "30", "10", "3", "trackd", connection.c_str(), "UTF8", static_cast<const char*>(nullptr)
    };
    return ::PQconnectStartParams(keywords.data(), values.data(), 1);
}

std::string text_of(const char* text) {
    return text == nullptr ? std::string{} : on_one_line(text);
}

} // namespace

postgres_connection::postgres_connection(const postgres_options& options, const std::stop_token& stop)
    : handle_{begin_connecting(options.connection), &::PQfinish},
      statement_timeout_{options.statement_timeout} {
    if (!handle_) throw std::runtime_error{"no memory for a connection to PostgreSQL"};
    ::PQsetNoticeProcessor(
        handle_.get(), [](void*, const char*) {}, nullptr
    ); // it would write to standard error
    connect(options.connect_timeout, stop);
    check_encoding();
}

// The timeout is that of each address. libpq has none here, but goes on to the next one when a socket fails.
void postgres_connection::connect(milliseconds timeout, const std::stop_token& stop) {
    auto deadline = steady_clock::now() + timeout;
    bool late = false;
    auto wanted = ::PQstatus(handle_.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (wanted != PGRES_POLLING_OK) {
        if (wanted == PGRES_POLLING_FAILED)
            throw std::runtime_error{fmt::format(
                "cannot connect to PostgreSQL{}: {}", late ? ", which does not answer in time" : "",
                text_of(::PQerrorMessage(handle_.get()))
            )};
        if (!is_ready(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline, stop)) {
            late = true;
            ::shutdown(::PQsocket(handle_.get()), SHUT_RDWR);
            deadline = steady_clock::now() + timeout;
        }
        wanted = ::PQconnectPoll(handle_.get());
    }
    if (::PQsetnonblocking(handle_.get(), 1) != 0) fail("use");
}

void postgres_connection::check_encoding() const {
    const std::string encoding = text_of(::PQparameterStatus(handle_.get(), "server_encoding"));
    if (encoding != "UTF8")
        throw std::runtime_error{
            where() + " has the encoding " + encoding + "; expected UTF8, which takes all events"
        };
}

// SET LOCAL: behind PgBouncer the session is another client's after the transaction.
std::array<std::string, 2> postgres_connection::begin() const {
    return {
        "BEGIN ISOLATION LEVEL READ COMMITTED",
        fmt::format("SET LOCAL statement_timeout = {}", statement_timeout_.count())
    };
}

std::vector<postgres_result>
postgres_connection::run_script(const std::string& sql, std::string_view data, const std::stop_token& stop) {
    const auto deadline = end_of_statement();
    if (::PQsendQuery(handle_.get(), sql.c_str()) != 1) fail("write to");
    flush(deadline, stop);
    std::vector<postgres_result> results;
    postgres_result failed{nullptr, &::PQclear};
    while (auto answer = next_result(deadline, stop)) {
        const auto status = ::PQresultStatus(answer.get());
        if (status == PGRES_COPY_IN)
            send_copy_data(data, deadline, stop);
        else if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
            results.push_back(std::move(answer));
        else if (!failed)
            failed = std::move(answer);
    }
    if (!failed) return results;
    roll_back(stop);
    refuse(failed.get(), results.size());
}

// All of it goes into libpq's buffer, and from there as the server takes it.
void postgres_connection::send_copy_data(
    std::string_view data, time_point deadline, const std::stop_token& stop
) {
    if (::PQputCopyData(handle_.get(), data.data(), static_cast<int>(data.size())) != 1 ||
        ::PQputCopyEnd(handle_.get(), nullptr) != 1)
        fail("write to");
    flush(deadline, stop);
}

std::vector<postgres_result> postgres_connection::run_pipeline(
    std::span<const postgres_statement> statements, const std::stop_token& stop
) {
    const auto deadline = end_of_statement();
    if (::PQenterPipelineMode(handle_.get()) != 1) fail("write to");
    for (const auto& statement : statements)
        send(statement);
    if (::PQpipelineSync(handle_.get()) != 1) fail("write to");
    flush(deadline, stop);
    std::vector<postgres_result> results;
    postgres_result failed{nullptr, &::PQclear};
    for (std::size_t ends = 0; ends <= statements.size();) { // nothing stands behind each statement's result
        auto answer = next_result(deadline, stop);
        const auto status = ::PQresultStatus(answer.get());
        if (!answer)
            ++ends;
        else if (status == PGRES_PIPELINE_SYNC)
            break;
        else if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
            results.push_back(std::move(answer));
        else if (!failed)
            failed = std::move(answer);
    }
    if (::PQexitPipelineMode(handle_.get()) != 1 && !failed) fail("use");
    if (!failed && results.size() == statements.size()) return results;
    if (!failed) throw std::runtime_error{where() + " has not answered all statements"};
    roll_back(stop);
    refuse(failed.get(), results.size());
}

void postgres_connection::send(const postgres_statement& statement) {
    std::vector<Oid> types;
    std::vector<const char*> values;
    std::vector<int> lengths;
    for (const auto& parameter : statement.parameters) {
        types.push_back(parameter.type);
        values.push_back(parameter.value.data());
        lengths.push_back(static_cast<int>(parameter.value.size()));
    }
    const std::vector<int> formats(values.size(), 1); // binary
    const int sent = ::PQsendQueryParams(
        handle_.get(), statement.sql.c_str(), static_cast<int>(values.size()), types.data(), values.data(),
        lengths.data(), formats.data(), 0
    );
    if (sent != 1) fail("write to");
}

bool postgres_connection::is_idle() const noexcept {
    return ::PQtransactionStatus(handle_.get()) == PQTRANS_IDLE;
}

// A failure here must not hide the error that is the reason for it: `is_idle` shows it.
void postgres_connection::roll_back(const std::stop_token& stop) try {
    if (::PQtransactionStatus(handle_.get()) != PQTRANS_INERROR) return;
    const auto deadline = steady_clock::now() + grace;
    if (::PQsendQuery(handle_.get(), "ROLLBACK") != 1) return;
    flush(deadline, stop);
    while (next_result(deadline, stop)) {
    }
} catch (const std::runtime_error&) {

    return;
}

// The server's last words come before the end itself: so until nothing is there to be read.
bool postgres_connection::is_alive() {
    pollfd socket{::PQsocket(handle_.get()), POLLIN, 0};
    while (::poll(&socket, 1, 0) > 0) {
        if (::PQconsumeInput(handle_.get()) != 1) return false;
    }
    return ::PQstatus(handle_.get()) == CONNECTION_OK;
}

std::string postgres_connection::where() const {
    return fmt::format(
        "database {} at {}:{}", text_of(::PQdb(handle_.get())), text_of(::PQhost(handle_.get())),
        text_of(::PQport(handle_.get()))
    );
}

// Reads meanwhile: a server that cannot get rid of its answer would not read on either.
void postgres_connection::flush(time_point deadline, const std::stop_token& stop) {
    for (int left = ::PQflush(handle_.get()); left != 0; left = ::PQflush(handle_.get())) {
        if (left < 0) fail("write to");
        wait(POLLIN | POLLOUT, deadline, stop);
        if (::PQconsumeInput(handle_.get()) != 1) fail("write to");
    }
}

/// @return nothing behind the last one
postgres_result postgres_connection::next_result(time_point deadline, const std::stop_token& stop) {
    while (::PQisBusy(handle_.get()) != 0) {
        wait(POLLIN, deadline, stop);
        if (::PQconsumeInput(handle_.get()) != 1) fail("read from");
    }
    return {::PQgetResult(handle_.get()), &::PQclear};
}

void postgres_connection::wait(short events, time_point deadline, const std::stop_token& stop) {
    if (!is_ready(events, deadline, stop)) throw std::runtime_error{where() + " does not answer in time"};
}

bool postgres_connection::is_ready(short events, time_point deadline, const std::stop_token& stop) {
    for (;;) {
        if (stop.stop_requested()) throw postgres_stopped{};
        const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
        if (left.count() <= 0) return false;
        pollfd socket{::PQsocket(handle_.get()), events, 0};
        if (::poll(&socket, 1, static_cast<int>(std::min(left, longest_deafness).count())) > 0) return true;
    }
}

postgres_connection::time_point postgres_connection::end_of_statement() const {
    return steady_clock::now() + statement_timeout_ + grace;
}

void postgres_connection::fail(const char* what) const {
    throw std::runtime_error{
        fmt::format("cannot {} {}: {}", what, where(), text_of(::PQerrorMessage(handle_.get())))
    };
}

void postgres_connection::refuse(const PGresult* answer, std::size_t statement) const {
    const auto code = text_of(::PQresultErrorField(answer, PG_DIAG_SQLSTATE));
    if (code.empty()) fail("use"); // libpq's own: the connection is gone
    postgres_error error{
        code,
        format_postgres_error(where(), text_of(::PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY)), code)
    };
    error.column = text_of(::PQresultErrorField(answer, PG_DIAG_COLUMN_NAME));
    error.statement = statement;
    throw error;
}

void check_postgres_connection(const std::string& connection) {
    char* error = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&::PQconninfoFree)> parsed{
        ::PQconninfoParse(connection.c_str(), &error), &::PQconninfoFree
    };
    const std::unique_ptr<char, decltype(&::PQfreemem)> owner{error, &::PQfreemem};
    if (parsed) return;
    throw std::runtime_error{
        "connection: " + without_quoted(error == nullptr ? "no memory" : error) +
        "; expected libpq's \"host=… dbname=…\" or \"postgresql://USER@HOST/DATABASE\""
    };
}

} // namespace trackd::sinks
