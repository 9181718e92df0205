// Log lines about what a start found pending, and when the sinks have caught up with it.
#pragma once

#include "tracker/start_backlog.hpp"

#include <string>
#include <utility>
#include <vector>

namespace trackd {

/// One line for all sinks.
[[nodiscard]] std::string
describe_pending(const std::vector<std::pair<std::string, pending_at_start>>& of_sinks);

[[nodiscard]] std::string describe(const start_backlog::caught_up& event, const std::string& sink);

} // namespace trackd
