// `POST /dead-letters/SINK/retry` and `/drop`: what `trackd dead-letters` asks a running daemon for.
#pragma once

#include "admin/overview.hpp"
#include "http/router.hpp"

#include <string>
#include <string_view>

namespace trackd::admin {

void add_letter_routes(http::router& routes, overview& of);

/// What such a request's body says: `{"all":true}` or `{"ids":["…"]}`.
[[nodiscard]] std::string to_json(const letter_choice& choice);

/// What the answer says.
/// @throws std::runtime_error if it is no such answer
[[nodiscard]] letters_report parse_report(std::string_view json);

} // namespace trackd::admin
