// The machine's time of day behind one door, so that tests can set it.
#pragma once

#include <trackd/wall_time.hpp>

#include <chrono>
#include <functional>

namespace trackd {

/// Where components get the time of day from. Called by any thread.
using wall_clock = std::function<wall_time()>;

[[nodiscard]] inline wall_time utc_now() {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

} // namespace trackd
