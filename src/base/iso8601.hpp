// Points in time as clients write them that do not keep to RFC 3339.
#pragma once

#include <trackd/wall_time.hpp>

#include <optional>
#include <string_view>

namespace trackd::base {

/// Reads a date-time of RFC 3339, and these forms of ISO 8601: a date alone (its first moment), no zone (UTC), `+0100`
/// and `+01`, a space for the `T`, a comma before the fraction, no seconds, and the basic format (`20261121T081530Z`).
/// The zone may follow a space, and be `UTC` or `GMT`.
/// @return nothing if it is none of these, or names a day or an hour that does not exist
[[nodiscard]] std::optional<wall_time> parse_iso8601(std::string_view text);

} // namespace trackd::base
