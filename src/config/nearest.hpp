// What somebody may have meant by a word that is unknown.
#pragma once

#include <span>
#include <string_view>

namespace trackd::config {

/// @return the candidate that is a slip or two of the fingers away from `word`, or an empty view if there is
/// none
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

} // namespace trackd::config
