// The page that shows a running daemon in a browser.
#pragma once

#include "http/router.hpp"

#include <string>
#include <string_view>

namespace trackd::admin {

/// All of it: HTML, with its style and its script.
extern const std::string_view dashboard_page;

/// `GET /`. For the admin listener only.
void add_dashboard_route(http::router& routes);

/// What a browser may do with a page that has one style and one script inside: run these two, and ask where the page
/// comes from.
/// @throws std::invalid_argument if it has not
[[nodiscard]] std::string content_security_policy(std::string_view page);

} // namespace trackd::admin
