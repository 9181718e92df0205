// A connection to PostgreSQL together with the table that was checked through it: what the sink writes, it writes in one
// transaction, and only to a table that has not changed since. No setting of the session outlives a transaction.
#pragma once

#include "sinks/postgres_connection.hpp"
#include "sinks/postgres_errors.hpp"
#include "sinks/postgres_statements.hpp"
#include "sinks/postgres_table.hpp"

#include <trackd/event.hpp>

#include <spdlog/logger.h>

#include <cstddef>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::sinks {

class postgres_session {
public:
    /// Whether a write ends its transaction.
    enum class ending { commit, none };

    /// Connects, and checks the table. All three outlive the session.
    /// @throws std::runtime_error if the server cannot be reached or the table does not do: no events' fault
    postgres_session(
        const postgres_options& options, const postgres_statements& sql, spdlog::logger& log,
        const std::stop_token& stop
    );

    /// Whether nothing has been heard of its end.
    [[nodiscard]] bool is_alive() { return connection_.is_alive(); }

    /// Whether no transaction is open.
    [[nodiscard]] bool is_idle() const noexcept { return connection_.is_idle(); }

    [[nodiscard]] const postgres_table& table() const noexcept { return table_; }

    /// Looks at the table again.
    void check_table(const std::stop_token& stop);

    /// Writes by COPY, which fails as a whole if a row is there already.
    /// @return the number of rows written
    std::size_t copy(std::span<const event_view> events, ending end, const std::stop_token& stop);

    /// Writes by INSERT, which leaves rows that are there as they are.
    std::size_t insert(std::span<const event_view> events, ending end, const std::stop_token& stop);

    /// @return the index of the first event that has no row
    std::optional<std::size_t> find_missing(std::span<const event_view> events, const std::stop_token& stop);

    /// Whether the table was made by this session.
    [[nodiscard]] bool is_new() const noexcept { return is_new_; }

    [[nodiscard]] bool has_rows(const std::stop_token& stop);

    /// Whether there is a row of one of these events, of which only `id` and `source` count.
    [[nodiscard]] bool has_any(std::span<const event_view> events, const std::stop_token& stop);

    void commit(const std::stop_token& stop);
    void roll_back(const std::stop_token& stop);

    /// Whether `copy` or `insert` failed because the table is no longer what was checked; nothing was written then.
    [[nodiscard]] static bool is_about_change(const postgres_error& error);

    /// Whether `copy`, `insert` or `commit` failed because of what was written.
    [[nodiscard]] static bool is_about_events(const postgres_error& error);

    /// Whether `copy` failed where `insert` may not.
    [[nodiscard]] static bool is_for_insert(const postgres_error& error);

    /// For messages: the database and its server.
    [[nodiscard]] std::string where() const { return connection_.where(); }

    /// The text of an error, which begins with `where`, as one about the table.
    [[nodiscard]] std::string describe(std::string_view text) const;

private:
    std::optional<postgres_table> read_table(const std::stop_token& stop);
    void create_table(const std::stop_token& stop);
    [[nodiscard]] std::vector<std::string> begin(std::vector<std::string> statements) const;
    std::vector<postgres_result>
    run_script(std::vector<std::string> statements, std::string_view data, const std::stop_token& stop);

    const postgres_options& options_;
    const postgres_statements& sql_;
    spdlog::logger& log_;
    postgres_connection connection_;
    postgres_table table_;
    std::string guard_;
    bool is_new_ = false;
};

} // namespace trackd::sinks
