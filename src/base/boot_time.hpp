// The time since the machine was started, which no setting of the clock changes, and which goes on in a suspended machine.
#pragma once

#include <chrono>
#include <functional>
#include <time.h>

namespace trackd::base {

using boot_clock = std::function<std::chrono::nanoseconds()>;

[[nodiscard]] inline std::chrono::nanoseconds boot_time() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now); // does not fail on Linux since 2.6.39
    return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

} // namespace trackd::base
