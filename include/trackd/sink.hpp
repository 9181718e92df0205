// Where events end up: a database, a file, a stream.
#pragma once

#include <trackd/event.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>

namespace trackd {

/// What became of the events given to `sink::write`.
struct write_result {
    std::size_t confirmed = 0;  ///< the first so many events are safe in the sink
    std::size_t duplicates = 0; ///< of those, how many the sink recognised as already there
    /// Not empty: the event behind the confirmed ones is one that the sink will never take as it is, and why.
    std::string refusal = {};
};

/// What earlier processes have delivered to a sink.
struct earlier_deliveries {
    std::uint64_t events = 0;        ///< confirmed by the sink
    std::uint64_t not_delivered = 0; ///< before the cursor: filtered, dead letters, skipped, damaged
    position at = 1;                 ///< the cursor
    /// The last ones before the cursor that the sink's route wants, as far as they can still be read; in order. At most
    /// `not_delivered` of them did not get there. The views live for the call.
    std::span<const event_view> last = {};
};

/// Thrown by `sink::write`: nothing was stored, because of the events and not of the sink's state: the same ones will
/// always be refused together. Which of them is to blame the sink cannot tell; fewer may pass.
class events_refused : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Thrown by `sink::write`: nothing was stored, and the destination said when to come again.
class sink_busy : public std::runtime_error {
public:
    sink_busy(const std::string& what, std::chrono::milliseconds after)
        : std::runtime_error{what}, retry_after{after} {}

    std::chrono::milliseconds retry_after; ///< from now on
};

/// One destination. It knows nothing but events; its delivery (src/tracker/delivery.hpp) decides what comes
/// when, retries, and remembers how far it has got.
///
/// `open` is called once, before everything else but `check`, on the thread that builds the daemon. All else is called on the
/// sink's own thread, one at a time, and may block; but `bookmark` also once on the thread of `open`, after it.
class sink {
public:
    virtual ~sink() = default;

    /// Verifies that `open` can work as far as that can be known without creating or changing anything, and without the
    /// network: what `trackd check` runs for each sink, and a start before it opens any. May be called on any thread,
    /// before `open` or on a sink that is never opened.
    /// @throws std::exception as `open`
    virtual void check() {}

    /// Makes ready, or finds out that this sink can never work as it is configured (no such directory, no
    /// permission, a schema of a newer version).
    /// @throws std::exception whose text names what, where and what was expected; the daemon then does not
    ///         start. What may mend itself (a server that does not answer yet) is no such error: it belongs
    ///         to `write`.
    virtual void open() {}

    /// Stores the events, in order, and returns when those it confirms are safe. May confirm only the first
    /// few. The same events come again after a failure, or after a restart: a sink with unique keys stores
    /// each once.
    /// @param events at least one; the views live until the call returns
    /// @param stop   requested when nobody will wait any longer: return soon, confirming what is done
    /// @throws events_refused, sink_busy; or any other std::exception if nothing of it could be stored, and it was not
    ///         because of the events: the call is repeated later
    virtual write_result write(std::span<const event_view> events, std::stop_token stop) = 0;

    /// Events with the same key have to be stored in order, also while one of them fails for a reason that may mend
    /// itself. Asked between writes, on any thread.
    /// @return none: the order does not matter
    [[nodiscard]] virtual std::optional<std::string> order_key(const event_view& /*event*/) const {
        return std::nullopt;
    }

    /// Where it is in what it writes to: of the events that were not confirmed yet, whatever it has stored lies behind
    /// that. Asked after `open` and after each write; the backlog keeps the answer together with how far the sink has
    /// got.
    /// @return empty, if it has no such place; else what `is_bookmark` (trackd/backlog.hpp) allows
    [[nodiscard]] virtual std::string bookmark() const { return {}; }

    /// What is written next belongs behind this place, and may be there already. Called once, before the first write, if
    /// there is a bookmark: of an earlier process, perhaps of a sink of another kind or with other options; or the one
    /// that it gave itself after `open`.
    virtual void resume(std::string_view /*bookmark*/) {}

    /// Called once, before the first write and after `resume`, if earlier processes have delivered events: so the sink can
    /// tell a destination that no longer has them.
    virtual void set_earlier_deliveries(const earlier_deliveries& /*before*/) {}

    /// What the operator should know, though events are delivered: the destination does not have what was delivered to it.
    /// Asked after `set_earlier_deliveries` and after each write; logged when it changes, and shown in `/status`.
    /// @return one line, or empty
    [[nodiscard]] virtual std::string warning() const { return {}; }

    /// Whether there is ever any upkeep to do. Asked once, before `open` or after it, on any thread.
    [[nodiscard]] virtual bool has_upkeep() const noexcept { return false; }

    /// Work that needs no event, such as deleting what is too old. Called between writes and while there are none, first
    /// at the start and then once a minute; never in a drain. It holds up the writes, so it does a bounded portion.
    /// @param stop requested when a drain begins: return soon
    /// @return whether there is more to do: the next call then comes after the next write, or at once if there is none
    /// @throws std::exception whose text says what could not be done, and where: it is logged, and the next call comes
    ///         a minute later
    virtual bool upkeep(std::stop_token /*stop*/) { return false; }

    /// Flushes and lets go. Called last, also after failed writes. Errors that lose nothing are not thrown.
    virtual void close() {}
};

} // namespace trackd
