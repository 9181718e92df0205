// The statements that store events in the table of an SQLite database.
#pragma once

#include "sinks/sqlite_connection.hpp"

#include <trackd/event.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::sinks {

/// A prepared INSERT for a fixed number of rows, and the lookup of rows that it did not store.
///
/// A row whose `(source, id)` is in the table already is a duplicate. Each other conflict is an error of the row: a
/// unique index, a CHECK, a trigger of the operator's, or an expression that has no value for this row.
class sqlite_insertion {
public:
    /// @param database outlives the object
    sqlite_insertion(const sqlite_connection& database, std::size_t rows);

    /// Runs within a transaction that has found the table to fit.
    /// @return how many of the events were not there before
    /// @throws events_refused if the database does not take one of them; the transaction must be rolled back
    [[nodiscard]] std::size_t run(std::span<const event_view> events);

    /// Ends a run that has thrown, so that its transaction can be rolled back.
    void reset() noexcept;

private:
    void bind_text(std::string_view text);
    void bind_blob(std::string_view bytes);
    void bind_null();
    void bind_text_or_null(std::string_view text);
    void bind_time(std::string& buffer, wall_time time);
    void bind_data(const event_view& event);
    void check_stored(std::span<const event_view> events);
    [[nodiscard]] bool is_stored(const event_view& event);

    const sqlite_connection& database_;
    sqlite_statement insert_;
    sqlite_statement lookup_;
    std::vector<std::string> times_; // what is bound must live until the row is written
    int column_ = 0;
};

} // namespace trackd::sinks
