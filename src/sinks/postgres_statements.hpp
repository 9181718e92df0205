// The SQL of the postgres sink.
#pragma once

#include "sinks/postgres_table.hpp"

#include <string>

namespace trackd::sinks {

/// The statements about one table. None of them depends on a setting of the session.
struct postgres_statements {
    std::string table;    ///< `"SCHEMA"."TABLE"`
    std::string create;   ///< the table, if it is missing
    std::string describe; ///< three results, see postgres_table.hpp
    std::string lock;     ///< keeps columns, types and keys as they are until the transaction ends
    std::string copy;     ///< COPY … FROM STDIN
    std::string insert;   ///< one array a column as parameters
    std::string
        find_missing;     ///< arrays of `id` and `source` as parameters; the number of the first missing row
    std::string has_rows; ///< whether there is a row
    std::string has_any; ///< arrays of `id` and `source` as parameters; whether there is a row of one of them
};

/// @param table `TABLE` or `SCHEMA.TABLE`
/// @throws std::runtime_error if the name has another form
[[nodiscard]] postgres_statements make_postgres_statements(const std::string& table);

/// A statement that fails (22012) if the table is another one than this or has changed since it was described.
[[nodiscard]] std::string
make_postgres_guard(const postgres_statements& statements, const postgres_table& table);

} // namespace trackd::sinks
