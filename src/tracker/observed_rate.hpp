// How fast something counts up, from looks at it now and then; and how long the rest takes at that rate.
#pragma once

#include <trackd/clock.hpp>
#include <trackd/event.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>

namespace trackd {

/// Of a position. The newer counts for more. A value of its owner's thread.
class observed_rate {
public:
    /// @param half_life what was seen so long ago counts half of what is seen now
    explicit observed_rate(std::chrono::seconds half_life) : half_life_{half_life} {}

    void reached(position at, clock::time_point now) {
        if (window_begin_ == clock::time_point{}) {
            window_begin_ = now;
            window_from_ = at;
        }
        const std::chrono::duration<double> elapsed = now - window_begin_;
        if (elapsed < window) return;
        const auto moved = static_cast<std::int64_t>(at - window_from_); // back, where events were dropped
        const auto rate = static_cast<double>(moved) / elapsed.count();
        rate_ = rate_ == 0 ? rate : std::lerp(rate, rate_, std::exp2(-elapsed / half_life_));
        window_begin_ = now;
        window_from_ = at;
    }

    [[nodiscard]] double per_second() const noexcept { return rate_; }

private:
    static constexpr std::chrono::seconds window{1};

    std::chrono::duration<double> half_life_;
    clock::time_point window_begin_{};
    position window_from_ = 0;
    double rate_ = 0;
};

/// How long so many events take, rounded up; none if that is `most` or more, or they never get there.
[[nodiscard]] inline std::optional<std::chrono::seconds>
time_for(std::uint64_t events, double per_second, std::chrono::seconds most) {
    if (!(per_second > 0)) return {};
    const auto seconds = std::ceil(static_cast<double>(events) / per_second);
    if (!(seconds < static_cast<double>(most.count()))) return {};
    return std::chrono::seconds{static_cast<std::chrono::seconds::rep>(seconds)};
}

} // namespace trackd
