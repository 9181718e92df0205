// The origins of web pages, as browsers name them: RFC 6454.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace trackd::config {

/// @return `scheme://host` or `scheme://host:port` in lower case, as a browser writes it; `*` as it is; nothing
///         if the text is neither
[[nodiscard]] std::optional<std::string> normalised_web_origin(std::string_view text);

} // namespace trackd::config
