// Reads some keys out of a file that is no TOML as a whole, because of an error somewhere in it.
#pragma once

#include "config/value.hpp"

#include <span>
#include <string_view>

namespace trackd::config {

/// Reads each line by itself, and skips those that cannot be read. The first of several values of a key wins.
/// @param wanted the top-level keys that are read; all others are skipped
[[nodiscard]] table scan_toml(std::string_view text, std::span<const std::string_view> wanted);

} // namespace trackd::config
