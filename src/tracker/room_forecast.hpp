// When there will be room again: from the rate at which events leave the backlog.
#pragma once

#include "tracker/observed_rate.hpp"

#include <algorithm>

namespace trackd {

/// A value of its owner's thread.
class room_forecast {
public:
    static constexpr std::chrono::seconds least{1};
    static constexpr std::chrono::seconds most{60};

    /// Every sink has got as far as `confirmed`.
    void progress(position confirmed, clock::time_point now) {
        confirmed_ = confirmed;
        rate_.reached(confirmed, now);
    }

    /// How long until every sink has got to `needed`, as things go; `most` if nothing moves.
    [[nodiscard]] std::chrono::seconds until(position needed) const {
        if (needed <= confirmed_) return least;
        return std::max(least, time_for(needed - confirmed_, rate_.per_second(), most).value_or(most));
    }

private:
    position confirmed_ = 0;
    observed_rate rate_{std::chrono::seconds{1}};
};

} // namespace trackd
