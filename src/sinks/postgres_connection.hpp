// libpq without its waiting: a connection whose every wait ends at a deadline, or when it is told to stop.
#pragma once

#include "sinks/postgres.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <libpq-fe.h>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace trackd::sinks {

/// Thrown by a wait that was told to stop.
class postgres_stopped {};

/// One parameter of a statement, in its type's binary format.
struct postgres_parameter {
    std::uint32_t type;
    std::string_view value;
};

/// Functions throw `postgres_error` for what the server has answered, `postgres_stopped`, or `std::runtime_error`.
/// After all but an error that is about rows or COPY the connection has to be destroyed, which does not wait.
///
/// It never asks the server to cancel a statement: one whose COMMIT waits for a standby would then end well without
/// it. The server ends what is abandoned itself, after `statement_timeout`.
class postgres_connection {
public:
    postgres_connection(const postgres_options& options, const std::stop_token& stop);

    /// @return the number of rows that it has touched
    std::size_t
    run(const std::string& sql, std::span<const postgres_parameter> parameters, const std::stop_token& stop);

    /// COPY … FROM STDIN with these data.
    void copy(const std::string& sql, std::string_view data, const std::stop_token& stop);

    /// Whether nothing has been heard of its end.
    [[nodiscard]] bool is_alive();

    /// For messages: the host, its port and the database.
    [[nodiscard]] std::string where() const;

private:
    using time_point = std::chrono::steady_clock::time_point;
    using result = std::unique_ptr<PGresult, decltype(&::PQclear)>;

    void connect(std::chrono::milliseconds timeout, const std::stop_token& stop);
    void set_up(const std::stop_token& stop);
    void flush(time_point deadline, const std::stop_token& stop);
    result next_result(time_point deadline, const std::stop_token& stop);
    std::size_t finish(time_point deadline, const std::stop_token& stop);
    void wait(short events, time_point deadline, const std::stop_token& stop);
    bool is_ready(short events, time_point deadline, const std::stop_token& stop);
    [[nodiscard]] time_point end_of_statement() const;
    [[noreturn]] void fail(const char* what) const;
    [[noreturn]] void refuse(const PGresult* answer) const;

    std::unique_ptr<PGconn, decltype(&::PQfinish)> handle_;
    std::chrono::milliseconds statement_timeout_;
};

/// @throws std::runtime_error if libpq cannot read it; nothing of it is in the text
void check_postgres_connection(const std::string& connection);

} // namespace trackd::sinks
