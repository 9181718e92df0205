// Bytes as text: base64 as RFC 4648 section 4 has it, the standard alphabet, padded, nothing else in between.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::base {

void append_base64(std::string& out, std::string_view bytes);

/// @param out room for `text.size() / 4 * 3` bytes, elsewhere
/// @return how many bytes were written; nothing if `text` is no base64
[[nodiscard]] std::optional<std::size_t> decode_base64(std::string_view text, char* out) noexcept;

} // namespace trackd::base
