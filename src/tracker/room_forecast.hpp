// When there will be room again: from the rate at which events leave the backlog.
#pragma once

#include "tracker/observed_rate.hpp"

#include <algorithm>
#include <optional>

namespace trackd {

/// What is known of the time until there is room.
struct room_outlook {
    std::optional<std::chrono::seconds> forecast;     ///< none: nothing can be said
    std::optional<clock::time_point> stalled_since{}; ///< nothing has made room since; none: there is room
};

/// A value of its owner's thread.
class room_forecast {
public:
    static constexpr std::chrono::seconds least{1};
    static constexpr std::chrono::seconds most{60};

    /// Every sink has got as far as `confirmed`.
    void progress(position confirmed, clock::time_point now) {
        if (confirmed != confirmed_) stalled_since_.reset();
        confirmed_ = confirmed;
        rate_.reached(confirmed, now);
    }

    /// How long until every sink has got to `needed`, as things go.
    /// @param blocked the backlog takes nothing, whatever the sinks do
    [[nodiscard]] room_outlook until(position needed, bool blocked, clock::time_point now) {
        const bool sinks_have_it = needed <= confirmed_;
        if (sinks_have_it && !blocked) {
            stalled_since_.reset();
            return {least};
        }
        if (!stalled_since_) stalled_since_ = now;
        if (sinks_have_it || !(rate_.per_second() > 0)) return {std::nullopt, stalled_since_};
        const auto time = time_for(needed - confirmed_, rate_.per_second(), most).value_or(most);
        return {std::max(least, time), stalled_since_};
    }

private:
    position confirmed_ = 0;
    std::optional<clock::time_point> stalled_since_;
    observed_rate rate_{std::chrono::seconds{1}};
};

} // namespace trackd
