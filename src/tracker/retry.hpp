// When a delivery tries again, and when it leaves a sink alone: decisions only, no clock and no timer.
#pragma once

#include <trackd/tracker.hpp>

#include <chrono>
#include <optional>
#include <random>

namespace trackd {

/// Exponential delays with full jitter: each is drawn evenly from zero to a bound that doubles with every
/// failure in a row, from `min` to `max` (M. Brooker, "Exponential Backoff And Jitter", 2015).
class retry_policy {
public:
    using duration = std::chrono::steady_clock::duration;

    /// @param seed of the jitter: different for each sink, so that they do not knock in step
    retry_policy(retry_options options, std::uint64_t seed) : options_{options}, random_{seed} {}

    void succeeded() noexcept { failures_ = 0; }

    /// @return how long to wait before the next attempt, or nothing: leave the sink, what is pending stays
    /// pending
    [[nodiscard]] std::optional<duration> failed();

    /// From now on delays are `min` at most. A sink that is failing gets one more attempt, where what it does
    /// not get stays in a durable backlog; where it would be lost, attempts go on until somebody else ends
    /// them.
    void begin_drain(bool backlog_is_durable) noexcept;

    [[nodiscard]] bool failing() const noexcept { return failures_ > 0; }

private:
    [[nodiscard]] duration jittered(duration bound);

    const retry_options options_;
    std::mt19937_64 random_;
    unsigned failures_ = 0;
    bool draining_ = false;
    bool leave_after_failure_ = false;
};

} // namespace trackd
