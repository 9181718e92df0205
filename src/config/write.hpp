// Values as TOML writes them.
#pragma once

#include "config/options.hpp"

#include <string>

namespace trackd::config {

/// Right of the `=`: what reads back to the same.
[[nodiscard]] std::string literal(const slot& from, form written);

} // namespace trackd::config
