// Decides when the log says that the journal is full, and that it has room again: at once the first time, and in
// summaries while the condition alternates.
#pragma once

#include <trackd/clock.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace trackd::journal {

/// A value of its owner's thread.
class full_report {
public:
    using time_point = clock::time_point;

    /// How long the condition must stay good before the log says so.
    static constexpr std::chrono::seconds settle_time{10};
    /// The least time between two lines that say "full" without one in between that says "good".
    static constexpr std::chrono::seconds summary_interval{60};

    enum class kind {
        full,        ///< it has become full
        alternating, ///< it has become full again and again since the line before
        good,        ///< it has room, for good as it seems
    };

    struct line {
        kind what = kind::full;
        std::uint64_t fulls = 0;      ///< how often it became full since the line before
        std::chrono::seconds since{}; ///< the line before; zero if there is none
    };

    void changed(bool is_full, time_point now);

    /// The line to write now, if there is one. Each is returned once.
    [[nodiscard]] std::optional<line> next(time_point now);

    /// When `next` has something to say, as things are; `time_point::max()`: never.
    [[nodiscard]] time_point due() const;

private:
    [[nodiscard]] line say(kind what, time_point now);

    bool is_full_ = false;
    bool said_full_ = false;
    std::uint64_t fulls_ = 0; // since the last line
    time_point changed_at_{};
    std::optional<time_point> said_at_;
    time_point said_full_at_{};
};

/// Writes the line into the log.
/// @param reason why there is no room
/// @param holder names the sink that holds the oldest events
void write_fullness(const full_report::line& line, std::string_view reason, std::string_view holder);

} // namespace trackd::journal
