// The SQL of the postgres sink.
#pragma once

#include <string>
#include <string_view>

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
        find_missing; ///< arrays of `id` and `source` as parameters; the number of the first missing row
};

/// @param table `TABLE` or `SCHEMA.TABLE`
/// @throws std::runtime_error if the name has another form
[[nodiscard]] postgres_statements make_postgres_statements(const std::string& table);

/// A statement that fails (22012) if the table has another fingerprint than this one.
[[nodiscard]] std::string
make_postgres_guard(const postgres_statements& statements, std::string_view fingerprint);

} // namespace trackd::sinks
