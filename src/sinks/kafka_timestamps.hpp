// Which time a message gets: the event's arrival, or the present where the brokers refuse that.
#pragma once

#include <trackd/wall_clock.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace trackd::sinks {

/// Brokers refuse a message whose time is too far from theirs (`message.timestamp.before.max.ms`,
/// `message.timestamp.after.max.ms`, in older versions `message.timestamp.difference.max.ms`). The time is this sink's own
/// choice, so a refusal says nothing about the event: from three quarters of the smallest distance on that was refused,
/// messages get the present time. A backlog is refused some times that way, and not once a batch, while its events come
/// nearer to the present. A value of the sink's thread.
class kafka_timestamps {
public:
    explicit kafka_timestamps(wall_clock now) : now_{std::move(now)} {}

    /// Reads the clock, once for each attempt. A limit that was learnt long ago is forgotten: it may have been raised, or
    /// a clock was wrong then. If it holds, one attempt finds it again.
    void begin_attempt() {
        present_ = now_();
        refused_.reset();
        if (limit_ && std::chrono::abs(present_ - learnt_at_) >= limit_lifetime) limit_.reset();
    }

    /// The time of the message with the event that arrived then.
    [[nodiscard]] wall_time of(wall_time received_at) const {
        return is_replaced(received_at) ? present_ : received_at;
    }

    [[nodiscard]] bool is_replaced(wall_time received_at) const {
        return limit_ && distance(received_at) >= *limit_;
    }

    /// The brokers refused the time of the message with the event that arrived then.
    void refused(wall_time received_at) {
        if (is_replaced(received_at)) return;
        refused_ = refused_ ? std::min(*refused_, distance(received_at)) : distance(received_at);
    }

    /// After an attempt that was refused: the next one gives the present time to what was refused.
    /// @return false: the present time is what the brokers refuse, and another attempt does not help
    bool learn() {
        limit_ = refused_;
        if (limit_) *limit_ = *limit_ / 4 * 3;
        learnt_at_ = present_;
        return limit_.has_value();
    }

    static constexpr std::chrono::minutes limit_lifetime{10};

private:
    [[nodiscard]] std::chrono::microseconds distance(wall_time received_at) const {
        return std::chrono::abs(present_ - received_at);
    }

    wall_clock now_;
    wall_time present_{};
    std::optional<std::chrono::microseconds> refused_; ///< in this attempt, the smallest distance
    std::optional<std::chrono::microseconds> limit_;   ///< from this distance on, the present time
    wall_time learnt_at_{};
};

} // namespace trackd::sinks
