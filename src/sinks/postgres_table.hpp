// The table that the postgres sink writes to, as the server's catalogue describes it, and whether events fit in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::sinks {

struct postgres_table_column {
    std::string name;
    std::string type_name;  ///< for messages
    std::uint32_t type = 0; ///< of a domain: the type below it; 0: one with a modifier, such as varchar(9)
    bool not_null = false;
    bool has_default = false;
    bool is_generated = false;
    bool can_insert = true; ///< the user may
    bool can_select = true;
};

/// A unique one.
struct postgres_table_index {
    std::string name;
    std::string columns; ///< sorted: `id, source`; without INCLUDE
    bool has_expressions = false;
    bool is_partial = false;
    bool is_valid = true;
    bool is_immediate = true;
    bool is_deterministic = true; ///< no collation takes different bytes as equal
};

struct postgres_table {
    std::uint32_t oid = 0;
    std::string versions;          ///< changes with the rest
    char kind = 'r';               ///< pg_class.relkind
    char persistence = 'p';        ///< pg_class.relpersistence
    bool row_security = false;     ///< policies apply to the user: COPY cannot be used
    bool has_row_triggers = false; ///< BEFORE INSERT … FOR EACH ROW: they may fill columns in, or skip a row
    std::string rules;             ///< for INSERT and UPDATE, separated by commas
    std::string user;
    std::vector<postgres_table_column> columns{};
    std::vector<postgres_table_index> unique_indexes{};
};

/// Why events cannot be written to a table.
struct postgres_misfit {
    std::string text;     ///< each column with what was found and what is expected
    std::string sqlstate; ///< the one that PostgreSQL has for the first of these
};

/// @return nothing if every event fits in, each once
[[nodiscard]] std::optional<postgres_misfit> find_misfit(const postgres_table& table);

} // namespace trackd::sinks
