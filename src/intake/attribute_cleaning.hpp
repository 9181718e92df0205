// Attributes of events from text that is longer than an attribute may be, or has control characters.
#pragma once

#include <string>
#include <string_view>

namespace trackd::intake {

/// Replaces each control character by a space, and cuts the text to `max_attribute_bytes`, between two characters.
/// @param text valid UTF-8, not empty
[[nodiscard]] std::string cleaned_attribute(std::string_view text);

/// The same for an id. It ends with the SHA-256 of the text: different texts give different ids, and the same text
/// gives the same id.
[[nodiscard]] std::string cleaned_id(std::string_view text);

} // namespace trackd::intake
