// What is counted, in the text format of Prometheus.
#pragma once

#include "admin/overview.hpp"
#include "http/router.hpp"

namespace trackd::admin {

/// `/metrics`. For the admin listener only. What it has is in docs/metrics.md.
void add_metrics_route(http::router& routes, overview& of);

} // namespace trackd::admin
