// By which time old rows are deleted: not by one reading of the machine's clock.
#pragma once

#include <trackd/wall_time.hpp>

#include <chrono>
#include <optional>

namespace trackd::sinks {

/// Follows the machine's clock, and does not follow a jump at once: a clock that is far ahead for a minute must not delete
/// a database. It counts its own looks, which are at least a minute apart, and no other clock: a virtual machine that was
/// stopped, or a clock that is faked, moves them all.
///
/// - It begins with the newest row that is stored, or with the clock if that is earlier.
/// - A clock that is at most ten minutes ahead is followed at once.
/// - A clock further ahead is a jump. It is believed after it has gone on steadily for 60 looks; until then each look is
///   one minute. Then each look catches up by a twentieth of `keep`, at least ten minutes; and by all the rest, once the
///   rows from before the jump are older than `keep` in any case.
/// - A clock that is behind is followed at once, and remembered as right after 60 looks.
class retention_clock {
public:
    explicit retention_clock(std::chrono::milliseconds keep) : keep_{keep} {}

    /// At most once a minute.
    /// @param newest when the newest row came, by the clock of that time; nothing if there is none
    /// @return the time by which rows are old, never later than `now`
    [[nodiscard]] wall_time look(wall_time now, std::optional<wall_time> newest);

    /// Whether the last look found a clock that has jumped ahead.
    [[nodiscard]] bool holds_back() const noexcept { return jumped_at_.has_value(); }

    /// The latest time that a row may truly have: one beyond it was stored while the clock was wrong.
    [[nodiscard]] wall_time horizon() const noexcept;

private:
    [[nodiscard]] wall_time follow_back(wall_time now);
    [[nodiscard]] wall_time catch_up(wall_time now, std::optional<wall_time> newest);

    std::chrono::milliseconds keep_;
    std::optional<wall_time> believed_;
    wall_time previous_{}; // reading of the clock
    int steady_looks_ = 0; // in which the clock was far off, and went on steadily
    std::optional<std::optional<wall_time>> jumped_at_; // the newest row before the jump
};

} // namespace trackd::sinks
