// Values as TOML writes them.
#pragma once

#include "config/options.hpp"

#include <string>

namespace trackd::config {

/// Right of the `=`: what reads back to the same, but for secrets in a table of somebody else's settings.
[[nodiscard]] std::string literal(const slot& from, form written);

} // namespace trackd::config
