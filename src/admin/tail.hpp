// What one live tail shows: which events, how many, and how they look on the wire.
#pragma once

#include <trackd/clock.hpp>
#include <trackd/onlooker.hpp>
#include <trackd/route.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace trackd::admin {

struct tail_options {
    route wanted;                             ///< by type and source
    patterns keys;                            ///< and by the name of the key that it was sent with
    std::size_t rate = 100;                   ///< events a second, and so many at once; at least 1
    std::size_t max_data = 4096;              ///< bytes of an event's data; what is beyond is cut off
    std::size_t max_waiting = 256UL * 1024UL; ///< bytes that wait for a slow reader
};

inline constexpr std::size_t max_tail_rate = 10'000;

/// What the query of `/events/tail` asks for: `type=a,b&source=…&key=…&rate=…`.
/// @throws std::invalid_argument that says what is wrong with it
[[nodiscard]] tail_options parse_tail_query(std::string_view query);

/// Server-sent events out of batches: whatever cannot be shown is counted, and said. A value of its owner's thread;
/// time is given to it.
class tail {
public:
    using time_point = clock::time_point;

    /// How long nothing may be said until a comment says that it is still there.
    static constexpr std::chrono::seconds heartbeat{15};

    tail(tail_options options, time_point now);

    /// Shows what is wanted of it, as far as rate and room allow.
    void show(const shown_batch& shown, time_point now);

    /// So many events were not looked at.
    void skip(std::uint64_t events) noexcept { skipped_ += events; }

    /// To be called about once a second: says what was left out, or that it is still there.
    void tick(time_point now);

    /// Says why nothing more comes. Nothing is shown or said after it.
    void end(std::string_view reason);

    [[nodiscard]] bool has_ended() const noexcept { return ended_; }

    /// Whether something waits to be taken.
    [[nodiscard]] bool has_news() const noexcept { return !waiting_.empty() || ended_; }

    /// Moves what waits to the end of `out`.
    void take(std::string& out);

private:
    [[nodiscard]] bool has_room() const noexcept { return waiting_.size() < options_.max_waiting; }

    void say_skipped();

    tail_options options_;
    std::string waiting_;
    double credit_; // events that may be shown now
    time_point credited_at_;
    time_point said_at_;
    std::uint64_t skipped_ = 0;
    bool ended_ = false;
};

/// As the line `data: …` has it: one JSON object, `data` last.
/// @param sender empty: it is not known
void append_tail_event(
    std::string& out, const event_view& event, std::string_view sender, std::size_t max_data
);

} // namespace trackd::admin
