// The time of day, as events and answers carry it.
#pragma once

#include <chrono>

namespace trackd {

/// Wall-clock time in UTC. Never used for timeouts: see clock.hpp.
using wall_time = std::chrono::sys_time<std::chrono::microseconds>;

} // namespace trackd
