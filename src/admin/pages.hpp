// The resources of the admin listener, as routes.
#pragma once

#include "admin/overview.hpp"
#include "http/router.hpp"

namespace trackd::admin {

/// `/healthz` (503 when a loop or a delivery stands still) and `/readyz` (503 unless running, or while the journal's disk
/// does not answer, or a sink fails that must not). For every listener.
void add_health_routes(http::router& routes, overview& of);

/// `/status`, `/debug/tasks` and `/debug/connections`. For the admin listener only.
void add_status_routes(http::router& routes, overview& of);

} // namespace trackd::admin
