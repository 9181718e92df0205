// The resources of the admin listener, as routes.
#pragma once

#include "admin/overview.hpp"
#include "http/router.hpp"

namespace trackd::admin {

/// Whether what is not well is named. Strangers are told no name of a sink, and nothing of how trackd works inside.
enum class health_detail { none, reason };

/// `/healthz` (503 when a loop or a delivery stands still) and `/readyz` (503 unless running, or while the journal's disk
/// does not answer, or a sink fails that must not). For every listener.
void add_health_routes(http::router& routes, overview& of, health_detail detail);

/// `/status`, `/debug/tasks` and `/debug/connections`. For the admin listener only.
void add_status_routes(http::router& routes, overview& of);

} // namespace trackd::admin
