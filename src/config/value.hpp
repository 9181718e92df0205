// What somebody wrote, before it means anything: a tree of values that know where they were written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace trackd::config {

/// Where something was written, and in which order its errors are shown.
struct origin {
    std::string place;  ///< `FILE:LINE:COLUMN`, `--set KEY` or `TRACKD_KEY`
    std::string key;    ///< the key that `place` already names, if it does
    unsigned layer = 0; ///< 0 for the file, rising from 1 for what was laid over it
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

/// What no option takes, such as a date: kept as the text that an error shows.
struct unsupported {
    std::string shown;
};

/// A value that was found wrong and reported: everybody after leaves it alone.
struct reported {};

struct member;
struct value;

using list = std::vector<value>;
using table = std::vector<member>;

struct value {
    std::variant<reported, bool, std::int64_t, std::string, list, table, unsupported> content;
    origin where;
};

/// One key of a table, and what it is set to.
struct member {
    std::string key;
    origin where; ///< of the key
    value content;
};

/// @return nothing if the table has no such key
[[nodiscard]] value* find(table& in, std::string_view key) noexcept;
[[nodiscard]] const value* find(const table& in, std::string_view key) noexcept;

/// How an error shows a value: strings quoted and shortened, tables and lists named.
[[nodiscard]] std::string shown(const value& what);
[[nodiscard]] std::string in_quotes(std::string_view text);

} // namespace trackd::config
