#include "sinks/postgres_catalog.hpp"

#include "sinks/postgres_errors.hpp"

#include <charconv>
#include <stdexcept>

namespace trackd::sinks {

namespace {

/// One row of a result, whose fields are taken one after the other.
class row_reader {
public:
    row_reader(const postgres_result& result, int row) : result_{result.get()}, row_{row} {}

    std::string_view next() {
        const auto field = field_++;
        return {
            ::PQgetvalue(result_, row_, field), static_cast<std::size_t>(::PQgetlength(result_, row_, field))
        };
    }

    std::string next_text() { return on_one_line(next()); }

    char next_letter() {
        const auto text = next();
        return text.empty() ? '\0' : text.front();
    }

    bool next_flag() { return next() == "t"; }

    std::uint32_t next_number() {
        const auto text = next();
        std::uint32_t number = 0;
        std::from_chars(text.data(), text.data() + text.size(), number);
        return number;
    }

private:
    const PGresult* result_;
    int row_;
    int field_ = 0;
};

postgres_table read_relation(row_reader row) {
    postgres_table table;
    table.oid = row.next_number();
    table.versions = row.next();
    table.kind = row.next_letter();
    table.persistence = row.next_letter();
    table.row_security = row.next_flag();
    table.has_row_triggers = row.next_flag();
    table.rules = row.next_text();
    table.user = row.next_text();
    return table;
}

postgres_table_column read_column(row_reader row) {
    postgres_table_column column;
    column.name = row.next();
    column.type_name = row.next_text();
    column.type = row.next_number();
    column.not_null = row.next_flag();
    column.has_default = row.next_flag();
    column.is_generated = row.next_flag();
    column.can_insert = row.next_flag();
    column.can_select = row.next_flag();
    return column;
}

postgres_table_index read_index(row_reader row) {
    postgres_table_index index;
    index.name = row.next_text();
    index.columns = row.next_text();
    index.has_expressions = row.next_flag();
    index.is_partial = row.next_flag();
    index.is_valid = row.next_flag();
    index.is_immediate = row.next_flag();
    index.is_deterministic = row.next_flag();
    return index;
}

} // namespace

std::optional<postgres_table> read_postgres_table(std::span<const postgres_result> results) {
    if (results.size() < 3) throw std::runtime_error{"PostgreSQL has not described the table"};
    if (::PQntuples(results[0].get()) == 0) return std::nullopt;
    auto table = read_relation({results[0], 0});
    for (int row = 0; row < ::PQntuples(results[1].get()); ++row)
        table.columns.push_back(read_column({results[1], row}));
    for (int row = 0; row < ::PQntuples(results[2].get()); ++row)
        table.unique_indexes.push_back(read_index({results[2], row}));
    return table;
}

} // namespace trackd::sinks
