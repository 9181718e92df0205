// libpq without its waiting: a connection whose every wait ends at a deadline, or when it is told to stop.
#pragma once

#include "sinks/postgres.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <libpq-fe.h>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::sinks {

/// Thrown by a wait that was told to stop.
class postgres_stopped {};

using postgres_result = std::unique_ptr<PGresult, decltype(&::PQclear)>;

/// One parameter of a statement, in its type's binary format.
struct postgres_parameter {
    std::uint32_t type;
    std::string_view value;
};

struct postgres_statement {
    std::string sql;
    std::vector<postgres_parameter> parameters{};
};

/// Functions throw `postgres_error` for what the server has answered, `postgres_stopped`, or `std::runtime_error`.
/// After all but an error that is about rows or COPY the connection has to be destroyed, which does not wait.
///
/// It never asks the server to cancel a statement: one whose COMMIT waits for a standby would then end well without
/// it. The server ends what is abandoned itself, after `statement_timeout`.
class postgres_connection {
public:
    postgres_connection(const postgres_options& options, const std::stop_token& stop);

    /// Runs statements without parameters, separated by semicolons, in one message. The data are for a COPY … FROM STDIN
    /// among them.
    /// @return the result of each statement
    /// @throws postgres_error for the first one that fails: those after it are not run, and the transaction is over
    std::vector<postgres_result>
    run_script(const std::string& sql, std::string_view data, const std::stop_token& stop);

    /// The same for statements with parameters: all are sent before the first answer is read.
    std::vector<postgres_result>
    run_pipeline(std::span<const postgres_statement> statements, const std::stop_token& stop);

    /// Begins a transaction with this sink's timeout, which no setting of the session outlives.
    [[nodiscard]] std::array<std::string, 2> begin() const;

    /// Whether no transaction is open.
    [[nodiscard]] bool is_idle() const noexcept;

    /// Whether nothing has been heard of its end.
    [[nodiscard]] bool is_alive();

    /// For messages: the host, its port and the database.
    [[nodiscard]] std::string where() const;

private:
    using time_point = std::chrono::steady_clock::time_point;

    void connect(std::chrono::milliseconds timeout, const std::stop_token& stop);
    void check_encoding() const;
    void send(const postgres_statement& statement);
    void send_copy_data(std::string_view data, time_point deadline, const std::stop_token& stop);
    void flush(time_point deadline, const std::stop_token& stop);
    postgres_result next_result(time_point deadline, const std::stop_token& stop);
    void roll_back(const std::stop_token& stop);
    void wait(short events, time_point deadline, const std::stop_token& stop);
    bool is_ready(short events, time_point deadline, const std::stop_token& stop);
    [[nodiscard]] time_point end_of_statement() const;
    [[noreturn]] void fail(const char* what) const;
    [[noreturn]] void refuse(const PGresult* answer, std::size_t statement) const;

    std::unique_ptr<PGconn, decltype(&::PQfinish)> handle_;
    std::chrono::milliseconds statement_timeout_;
};

/// @throws std::runtime_error if libpq cannot read it; nothing of it is in the text
void check_postgres_connection(const std::string& connection);

} // namespace trackd::sinks
