// Which of the events ahead of a sink's cursor its route does not want: a bit an event, counted.
#pragma once

#include <trackd/backlog.hpp>
#include <trackd/batch.hpp>
#include <trackd/route.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

namespace trackd {

/// Covers the positions from the cursor to the end of the backlog. One range among them may be unknown: events that
/// were in the backlog before the index, or before the route. Unknown events count as wanted until `add` has seen them.
///
/// A value of its owner's thread. Takes 512 bytes for each 4096 events among which one is unwanted.
class route_index {
public:
    /// @param unknown_from the events from here to `end` are unknown; those between `at` and here are wanted
    route_index(route wanted, position at, position unknown_from, position end);

    /// New events, which got the positions from `first` on.
    void append(position first, const batch& events);

    /// Events that were read from the backlog: the unknown range shrinks where they cover its beginning.
    void add(const chunk& events);

    /// Known events that are judged by the present route, whatever the route before said.
    void judge_again(const chunk& events);

    /// The unknown events below `to` cannot be read: they stay counted as wanted, and are unknown no longer.
    void assume_wanted_below(position to);

    /// The cursor has moved.
    void pass_to(position to);

    /// The backlog has dropped the events from `end` on.
    void truncate(position end);

    /// Events below `kept_end` keep what the route before said; those from there on are unknown.
    void set_route(route wanted, position kept_end);

    /// Where the unknown range begins; none where there is none.
    [[nodiscard]] std::optional<position> next_unknown() const noexcept;

    /// Whether no event below `to` is unknown.
    [[nodiscard]] bool knows_below(position to) const noexcept { return next_unknown().value_or(to) >= to; }

    /// How many of the events ahead of the cursor are known to be unwanted.
    [[nodiscard]] std::uint64_t unwanted() const noexcept { return total_.events; }

    /// The same for the events below `to`.
    [[nodiscard]] std::uint64_t unwanted_below(position to) const noexcept;

    /// How many bytes the unwanted events take as they are encoded. An estimate while the cursor is between them.
    [[nodiscard]] std::uint64_t unwanted_bytes() const noexcept { return total_.bytes; }

    /// Whether an event in [from, to) is ahead of the cursor, and wanted or unknown.
    [[nodiscard]] bool wants_any(position from, position to) const noexcept {
        return from < to && next_wanted(from, to) < to;
    }

    /// The first position in [from, to) ahead of the cursor that is wanted or unknown; `to` if there is none.
    [[nodiscard]] position next_wanted(position from, position to) const noexcept;

private:
    static constexpr std::size_t word_bits = 64;
    static constexpr std::size_t block_words = 64;
    static constexpr position block_events = block_words * word_bits;

    struct count {
        std::uint64_t events = 0;
        std::uint64_t bytes = 0;
    };

    struct block {
        std::unique_ptr<std::array<std::uint64_t, block_words>> bits; // null: no event of it is unwanted
        count unwanted;
    };

    void look_at(position at, const event_view& event, std::size_t bytes);
    void forget(position from, position to);
    void forget_in(std::size_t block_index, position from, position to);
    [[nodiscard]] std::uint64_t word_at(position at) const noexcept;

    route wanted_;
    position at_;
    position end_;
    position unknown_begin_;
    position unknown_end_;
    position base_; // of the first block; a multiple of `block_events`
    std::deque<block> blocks_;
    count total_;
};

} // namespace trackd
