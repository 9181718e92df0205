// The three ways in which text is wrapped up on its way here: JSON's escapes, base64 and percent-encoding.
#pragma once

#include "base/base64.hpp"
#include "http/query.hpp"

#include <cstddef>
#include <string_view>

namespace trackd::intake {

/// Undoes the escapes of a JSON string that is known to be valid.
/// @param text what stands between the quotes
/// @param out  room for `text.size()` bytes, elsewhere
/// @return how many bytes were written
std::size_t unescape_json(std::string_view text, char* out) noexcept;

using base::decode_base64;
using http::decode_percent;

} // namespace trackd::intake
