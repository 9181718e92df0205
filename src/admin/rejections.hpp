// The requests that the ingest listener rejected, as `/status` and `/debug/rejections` show them.
#pragma once

#include "admin/overview.hpp"
#include "http/router.hpp"

#include <boost/json/object.hpp>

#include <cstddef>

namespace trackd::admin {

/// How many there were, by status and reason, and the latest ones.
[[nodiscard]] boost::json::object rejections_page(const overview& of, std::size_t max_latest);

/// `/debug/rejections`, which lists as many as are kept. For the admin listener only.
void add_rejections_route(http::router& routes, const overview& of);

} // namespace trackd::admin
