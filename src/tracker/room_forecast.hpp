// When there will be room again: from the rate at which events leave the backlog.
#pragma once

#include <trackd/clock.hpp>
#include <trackd/event.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace trackd {

/// A value of its owner's thread.
class room_forecast {
public:
    static constexpr std::chrono::seconds least{1};
    static constexpr std::chrono::seconds most{60};

    /// Every sink has got as far as `confirmed`.
    void progress(position confirmed, clock::time_point now) {
        if (window_begin_ == clock::time_point{}) {
            window_begin_ = now;
            window_from_ = confirmed;
        }
        confirmed_ = confirmed;
        const auto elapsed = now - window_begin_;
        if (elapsed < window) return;
        const auto rate =
            static_cast<double>(confirmed - window_from_) / std::chrono::duration<double>(elapsed).count();
        rate_ = rate_ == 0 ? rate : (rate_ + rate) / 2;
        window_begin_ = now;
        window_from_ = confirmed;
    }

    /// How long until every sink has got to `needed`, as things go; `most` if nothing moves.
    [[nodiscard]] std::chrono::seconds until(position needed) const {
        if (needed <= confirmed_) return least;
        const auto seconds =
            std::ceil(static_cast<double>(needed - confirmed_) / rate_); // infinite where nothing moves
        if (!(seconds < static_cast<double>(most.count()))) return most;
        return std::max(least, std::chrono::seconds{static_cast<std::chrono::seconds::rep>(seconds)});
    }

private:
    static constexpr std::chrono::seconds window{1};

    clock::time_point window_begin_{};
    position window_from_ = 0;
    position confirmed_ = 0;
    double rate_ = 0; // events a second
};

} // namespace trackd
