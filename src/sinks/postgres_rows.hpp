// Events as rows of PostgreSQL: which column takes what of them, in the binary formats of COPY and of arrays.
#pragma once

#include <trackd/event.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace trackd::sinks {

struct postgres_column {
    std::string_view name;
    std::uint32_t type;  ///< its number in the server's catalogue, which never changes
    std::uint32_t array; ///< that of an array of it
};

/// What is written of each event, in this order.
inline constexpr auto postgres_columns = std::to_array<postgres_column>({
    {"id", 25, 1009},
    {"source", 25, 1009},
    {"type", 25, 1009},
    {"time", 1184, 1185},
    {"received_at", 1184, 1185},
    {"subject", 25, 1009},
    {"datacontenttype", 25, 1009},
    {"data", 3802, 3807},
    {"data_text", 25, 1009},
    {"data_bytes", 17, 1001},
    {"extensions", 3802, 3807},
});

/// One value a column.
using postgres_arrays = std::array<std::string, postgres_columns.size()>;

/// Whether jsonb takes this JSON: no `\u0000` and no half of a surrogate pair, no number beyond what we trust
/// `numeric` with (5000 characters, exponents to 5000), and up to 16 MiB.
[[nodiscard]] bool fits_jsonb(std::string_view json) noexcept;

/// All rows as COPY … FROM STDIN (FORMAT binary) wants them.
[[nodiscard]] std::string copy_stream(std::span<const event_view> events);

/// Each column as an array, in the binary format of a parameter.
[[nodiscard]] postgres_arrays column_arrays(std::span<const event_view> events);

} // namespace trackd::sinks
