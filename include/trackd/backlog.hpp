// The ordered store of accepted events that some sink has not yet taken.
#pragma once

#include <trackd/batch.hpp>
#include <trackd/event.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace trackd {

/// Consecutive events read from a backlog, and what keeps their bytes alive.
struct chunk {
    position first = 0;             ///< position of the first event; the others follow without a gap
    std::vector<event_view> events; ///< empty: there is nothing at that position yet
    std::vector<std::shared_ptr<const void>> owners; ///< hold the memory that `events` points into

    [[nodiscard]] position end() const noexcept { return first + events.size(); }
};

/// How much one read may return. At least one event comes, however large, where there is one.
struct read_limits {
    std::size_t events = 2000;
    std::size_t bytes = 4 * 1024 * 1024;
};

/// Where accepted events wait for the sinks: in memory, or in a journal on disk.
///
/// Confined to the tracker's strand: every member is called there and nowhere else. It is not bounded by
/// itself: the tracker admits events before they come here.
///
/// How safe an event is, is said by `stored_end()` alone: an event below it is as safe as this kind of
/// backlog makes it. Memory is there at once; a journal gets there when a sync has returned, and then calls
/// the function that it was constructed with, on the strand.
class backlog {
public:
    virtual ~backlog() = default;

    /// Takes all events of the batch, which get the positions from `end()` on. Never blocks.
    virtual void append(batch events) = 0;

    /// Reads events from `from` on. `from` lies between `begin()` and `end()`.
    [[nodiscard]] virtual boost::asio::awaitable<chunk> read(position from, read_limits limits) = 0;

    /// Every sink has confirmed everything below this position: it may be forgotten.
    /// @return the encoded bytes given back
    virtual std::size_t trim(position below) = 0;

    [[nodiscard]] virtual position begin() const noexcept = 0;      ///< oldest event kept
    [[nodiscard]] virtual position end() const noexcept = 0;        ///< what the next event will get
    [[nodiscard]] virtual position stored_end() const noexcept = 0; ///< see above
    [[nodiscard]] virtual std::size_t bytes() const noexcept = 0;   ///< encoded bytes kept

    /// Whether events that wait here survive the end of the process.
    [[nodiscard]] virtual bool durable() const noexcept = 0;
};

/// A backlog that is gone with the process. Positions start at 1.
[[nodiscard]] std::unique_ptr<backlog> make_memory_backlog();

} // namespace trackd
