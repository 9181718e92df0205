// The three ways in which text is wrapped up on its way here: JSON's escapes, base64 and percent-encoding.
#pragma once

#include "base/base64.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::intake {

/// Undoes the escapes of a JSON string that is known to be valid.
/// @param text what stands between the quotes
/// @param out  room for `text.size()` bytes, elsewhere
/// @return how many bytes were written
std::size_t unescape_json(std::string_view text, char* out) noexcept;

using base::decode_base64;

/// Decodes a segment of a URL's path (RFC 3986 section 2.1).
/// @return nothing if a `%` is not followed by two hexadecimal digits
[[nodiscard]] std::optional<std::string> decode_percent(std::string_view text);

} // namespace trackd::intake
