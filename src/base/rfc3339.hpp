// Points in time as RFC 3339 writes them.
#pragma once

#include <trackd/wall_time.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace trackd::base {

/// Reads a date-time of RFC 3339 section 5.6 (`T` and `Z` in either case, any offset, any number of fraction
/// digits, of which six are kept). A leap second (`:60`) is taken as the first moment of the next minute.
/// @return nothing if it is not one, or names a day or an hour that does not exist
[[nodiscard]] std::optional<wall_time> parse_rfc3339(std::string_view text) noexcept;

/// Appends UTC with microseconds: `2026-11-21T08:15:30.000250Z`. Years 0 to 9999.
void append_rfc3339(std::string& out, wall_time time);

} // namespace trackd::base
