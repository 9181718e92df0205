// Events that a sink will never take: kept, with the reason, and out of the way of the others.
#pragma once

#include <trackd/event.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace trackd {

/// Why an event became a dead letter.
struct death {
    std::string_view reason;    ///< what the sink said
    std::uint64_t attempts = 0; ///< how often the event was given to it
};

/// Where the dead letters of one sink go. Called on the sink's thread, one call at a time, and may block.
class dead_letters {
public:
    virtual ~dead_letters() = default;

    /// Keeps all of them, and returns when they are safe.
    /// @throws std::exception if not all could be kept, or there is no room for more: the delivery stays where it is, says
    ///         so, and tries the sink again. Some may be kept twice then
    virtual void keep(std::span<const event_view> events, const death& of) = 0;
};

} // namespace trackd
