// A body that must be one JSON object, whatever its content type says.
#pragma once

#include "intake/json_document.hpp"
#include "intake/refusal.hpp"

#include <optional>
#include <string_view>

namespace trackd::intake {

/// @param body     perhaps with a byte order mark before it; at least 64 bytes behind its end can be read
/// @param document stands on the object then
[[nodiscard]] std::optional<refusal> parse_object(std::string_view body, json_document& document);

} // namespace trackd::intake
