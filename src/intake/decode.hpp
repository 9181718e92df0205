// The three ways in which text is wrapped up on its way here: JSON's escapes, base64 and percent-encoding.
#pragma once

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

/// Decodes base64 (RFC 4648 section 4: the standard alphabet, padded, nothing else in between).
/// @param out room for `text.size() / 4 * 3` bytes, elsewhere
/// @return how many bytes were written; nothing if `text` is no base64
[[nodiscard]] std::optional<std::size_t> decode_base64(std::string_view text, char* out) noexcept;

/// Decodes a segment of a URL's path (RFC 3986 section 2.1).
/// @return nothing if a `%` is not followed by two hexadecimal digits
[[nodiscard]] std::optional<std::string> decode_percent(std::string_view text);

} // namespace trackd::intake
