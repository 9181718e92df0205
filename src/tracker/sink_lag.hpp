// How far a sink is behind, in time: how old the oldest event is that it lacks, and how soon it will lack none.
#pragma once

#include "tracker/arrivals.hpp"
#include "tracker/observed_rate.hpp"

#include <trackd/wall_time.hpp>

#include <algorithm>
#include <chrono>
#include <optional>

namespace trackd {

/// Decisions only. A value of its owner's thread.
class sink_lag {
public:
    /// What would take longer than this is no estimate.
    static constexpr std::chrono::seconds most = std::chrono::hours{24};

    /// The first call: the sink begins at `at`, and the events below `end` are from before.
    void begin(position at, position end, clock::time_point now, wall_time wall) {
        begun_ = now;
        begun_wall_ = wall;
        arrivals_.begin(end);
        progress(at, end, now);
    }

    /// The next event will get `end`.
    void arrived(position end, clock::time_point now) {
        if (begun_) arrivals_.reached(end, now);
    }

    /// The sink has got to `at`, and the next event will get `end`.
    void progress(position at, position end, clock::time_point now) {
        arrived(end, now);
        arrivals_.forget_below(at);
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

    /// How old the event at `at` is, the oldest that it lacks: by `received_at`, within the bounds that the monotonic
    /// clock sets, so that a jump of the wall clock changes it by no more than it can be off anyway. Of an event that
    /// was there at `begin`, what is younger counts: its age by the present reading of the wall clock, or its age by
    /// the reading at `begin` and the time since then.
    [[nodiscard]] std::chrono::seconds age(position at, wall_time wall, clock::time_point now) const {
        if (!oldest_ || !begun_ || at >= arrivals_.end()) return std::chrono::seconds{0};
        clock::duration age = wall - *oldest_;
        if (const auto arrival = arrivals_.of(at)) {
            age = std::clamp(age, now - arrival->last, now - arrival->first);
        } else {
            const clock::duration at_begin = begun_wall_ - *oldest_;
            const auto since_begin = now - *begun_;
            // Below zero, the reading at `begin` was behind, as of a machine that has just booted.
            if (at_begin >= clock::duration{0}) age = std::min(age, at_begin + since_begin);
            age = std::max(age, since_begin);
        }
        return std::chrono::floor<std::chrono::seconds>(age);
    }

    /// How long until it lacks none, if it and the intake go on as in the last seconds.
    /// @return none while that does not come nearer
    [[nodiscard]] std::optional<std::chrono::seconds>
    caught_up_in(position at, position end, clock::time_point now) const {
        if (at >= end) return std::chrono::seconds{0};
        auto delivery = delivery_; // the time since it last moved counts, too
        auto intake = intake_;
        delivery.reached(at, now);
        intake.reached(end, now);
        const auto nearer = delivery.per_second() - intake.per_second();
        return time_for(end - at, nearer, most);
    }

private:
    static constexpr std::chrono::seconds half_life{2};

    std::optional<wall_time> oldest_;
    std::optional<clock::time_point> begun_;
    wall_time begun_wall_{};
    arrivals arrivals_;
    observed_rate delivery_{half_life};
    observed_rate intake_{half_life};
};

} // namespace trackd
