// What the formats check of a request's header fields before they look at its body.
#pragma once

#include "http/request.hpp"
#include "intake/refusal.hpp"

#include <optional>

namespace trackd::intake {

/// Compressed bodies are not read.
[[nodiscard]] std::optional<refusal> check_encoding(const http::request& req);

} // namespace trackd::intake
