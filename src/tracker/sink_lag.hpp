// How far a sink is behind, in time: how old the oldest event is that it lacks, and how soon it will lack none.
#pragma once

#include "tracker/observed_rate.hpp"

#include <trackd/wall_time.hpp>

#include <chrono>
#include <optional>

namespace trackd {

/// Decisions only. A value of its owner's thread.
class sink_lag {
public:
    /// What would take longer than this is no estimate.
    static constexpr std::chrono::seconds most = std::chrono::hours{24};

    /// The sink has got to `at`, and the next event will get `end`.
    void progress(position at, position end, clock::time_point now) {
        delivery_.reached(at, now);
        intake_.reached(end, now);
    }

    /// It lacks an event that was not read yet. The first time since it lacked none, that one came about now.
    void fell_behind(wall_time now) {
        if (!oldest_) oldest_ = now;
    }

    /// The oldest event that it lacks was read.
    void oldest_came(wall_time received_at) { oldest_ = received_at; }

    /// It lacks none.
    void caught_up() { oldest_.reset(); }

    /// How old the oldest event is that it lacks.
    [[nodiscard]] std::chrono::seconds age(wall_time now) const {
        if (!oldest_ || now < *oldest_) return std::chrono::seconds{0}; // a wall clock may be set back
        return std::chrono::floor<std::chrono::seconds>(now - *oldest_);
    }

    /// How long until it lacks none, if it and the intake go on as in the last seconds.
    /// @return none while that does not come nearer
    [[nodiscard]] std::optional<std::chrono::seconds>
    caught_up_in(position at, position end, clock::time_point now) const {
        if (at >= end) return std::chrono::seconds{0};
        auto until_now = *this; // the time since it last moved counts, too
        until_now.progress(at, end, now);
        const auto nearer = until_now.delivery_.per_second() - until_now.intake_.per_second();
        return time_for(end - at, nearer, most);
    }

private:
    static constexpr std::chrono::seconds half_life{2};

    std::optional<wall_time> oldest_;
    observed_rate delivery_{half_life};
    observed_rate intake_{half_life};
};

} // namespace trackd
