// TOML text to the tree of value.hpp. Nobody else sees the TOML library.
#pragma once

#include "config/value.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace trackd::config {

/// @param name what errors call the text: its file
/// @throws error with one line, for the first thing that is no TOML
[[nodiscard]] value parse_toml(std::string_view text, const std::string& name);

/// Reads one value as it would stand right of a `=`.
/// @param where what all of it gets as its origin
/// @return nothing if it is not one
[[nodiscard]] std::optional<value> parse_toml_value(std::string_view text, const origin& where);

} // namespace trackd::config
