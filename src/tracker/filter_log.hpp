// Decides which events the log names that a sink's route filters: the first ones of each type, and not many.
#pragma once

#include <trackd/clock.hpp>
#include <trackd/event.hpp>
#include <trackd/route.hpp>

#include <chrono>
#include <cstddef>
#include <set>
#include <span>
#include <string>

namespace trackd {

/// Confined to its delivery's strand.
class filter_log {
public:
    /// The least time between two looks at events.
    static constexpr std::chrono::seconds between_looks{10};
    /// After this, types that were named may be named again.
    static constexpr std::chrono::hours period{1};
    static constexpr std::size_t max_types = 20; ///< in a period

    /// Names the first event of each type that the route filters, and that was not named in this period.
    /// @param events a chunk, some of which the route filters
    void write(
        const std::string& sink, std::span<const event_view> events, const route& wanted,
        clock::time_point now
    );

private:
    clock::time_point next_look_{};
    clock::time_point period_end_{};
    std::set<std::string, std::less<>> types_;
};

} // namespace trackd
