// `${VAR}`, `${VAR:-default}` and `${file:/path}` in strings.
#pragma once

#include "config/problems.hpp"
#include "config/value.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace trackd::config {

/// Names and values.
using environment = std::span<const std::pair<std::string, std::string>>;

/// Puts in what the text refers to, once: what was put in is not looked at again. `$${` becomes `${`. The
/// default is taken where the variable is not set or empty; a file gives its content without the line's end
/// that it ends in.
/// @throws std::runtime_error saying what is wrong
[[nodiscard]] std::string expanded(std::string_view text, environment from);

/// Expands all strings below. Each that cannot be, or that is no UTF-8, is reported and marked so.
void expand(value& root, environment from, problems& found);

} // namespace trackd::config
