// The stages of the daemon's life, in their order.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace trackd {

enum class stage : std::uint8_t {
    starting,  ///< nothing is accepted yet
    running,   ///< as it should be
    lame_duck, ///< still serving, but asking load balancers and clients to go elsewhere
    closing,   ///< no new connections; requests that have begun are finished
    draining,  ///< no new events; what is pending is delivered
    stopped,   ///< only the summary is left
};

inline constexpr auto all_stages = std::to_array(
    {stage::starting, stage::running, stage::lame_duck, stage::closing, stage::draining, stage::stopped}
);

[[nodiscard]] constexpr std::string_view to_string(stage s) noexcept {
    switch (s) {
    case stage::starting: return "starting";
    case stage::running: return "running";
    case stage::lame_duck: return "lame_duck";
    case stage::closing: return "closing";
    case stage::draining: return "draining";
    case stage::stopped: return "stopped";
    }
    return "unknown";
}

} // namespace trackd
