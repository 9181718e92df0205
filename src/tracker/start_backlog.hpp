// What was pending for a sink when this process began, and when the sink has caught up with that.
#pragma once

#include <trackd/backlog.hpp>
#include <trackd/clock.hpp>
#include <trackd/tracker.hpp>

#include <cstdint>
#include <optional>

namespace trackd {

/// Decisions only. A value of its owner's thread.
class start_backlog {
public:
    /// The sink has just caught up.
    struct caught_up {
        std::uint64_t events = 0;        ///< that were pending
        bool at_most = false;            ///< as in `pending_at_start`
        std::uint64_t not_delivered = 0; ///< since the start: dead letters, skipped, or damaged
        clock::duration took{};
    };

    /// @param place   where the sink begins
    /// @param end     of the events that are there
    /// @param pending how many of them the sink has to get
    /// @param at_most its route is not known to want all of these
    start_backlog(
        const cursor& place, position end, std::uint64_t pending, bool at_most, clock::time_point now
    )
        : end_{end}, not_delivered_{count(place)}, began_{now},
          status_{.events = pending, .at_most = at_most, .caught_up = pending == 0} {}

    /// The sink has got to `place`.
    /// @return once, when it has caught up
    [[nodiscard]] std::optional<caught_up> reached(const cursor& place, clock::time_point now) noexcept {
        if (status_.caught_up || place.at < end_) return {};
        status_.caught_up = true;
        return caught_up{status_.events, status_.at_most, count(place) - not_delivered_, now - began_};
    }

    [[nodiscard]] const pending_at_start& status() const noexcept { return status_; }

private:
    [[nodiscard]] static std::uint64_t count(const cursor& place) noexcept {
        return place.not_delivered() - place.filtered;
    }

    position end_;
    std::uint64_t not_delivered_;
    clock::time_point began_;
    pending_at_start status_;
};

} // namespace trackd
