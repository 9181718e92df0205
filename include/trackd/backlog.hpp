// The ordered store of accepted events that some sink has not yet taken.
#pragma once

#include <trackd/batch.hpp>
#include <trackd/clock.hpp>
#include <trackd/distribution.hpp>
#include <trackd/event.hpp>
#include <trackd/wall_time.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trackd {

/// Consecutive events read from a backlog, and what keeps their bytes alive.
struct chunk {
    position first = 0;             ///< position of the first event; the others follow without a gap
    std::vector<event_view> events; ///< empty, and `damaged` zero: there is nothing at that position yet
    std::uint64_t damaged =
        0; ///< so many positions from `first` on can no longer be read; `events` is empty then
    std::vector<std::shared_ptr<const void>> owners; ///< hold the memory that `events` points into

    [[nodiscard]] position end() const noexcept { return first + events.size() + damaged; }
};

/// How much one read may return. At least one event comes, however large, where there is one.
struct read_limits {
    std::size_t events = 2000;
    std::size_t bytes = 4 * 1024 * 1024;
};

inline constexpr std::size_t max_bookmark_bytes = 64;

/// What a sink may give as its bookmark: small letters, digits, colons, dots and hyphens, at most `max_bookmark_bytes`.
[[nodiscard]] constexpr bool is_bookmark(std::string_view text) noexcept {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789:.-";
    return text.size() <= max_bookmark_bytes && text.find_first_not_of(allowed) == text.npos;
}

/// How far a sink has got. Positions in [start, at) are behind it; all of them that are not counted here, it has got.
struct cursor {
    position start = 1;              ///< where it began
    position at = 1;                 ///< the first position that it is not done with
    std::uint64_t damaged = 0;       ///< could not be read
    std::uint64_t filtered = 0;      ///< its route did not want them
    std::uint64_t dead_lettered = 0; ///< it would not take them: they became dead letters
    std::uint64_t skipped = 0;       ///< were passed over, because it was so slow that there was no room left
    std::string bookmark = {};       ///< as the sink gave it when it had got to `at`

    [[nodiscard]] std::uint64_t not_delivered() const noexcept {
        return damaged + filtered + dead_lettered + skipped;
    }

    [[nodiscard]] std::uint64_t delivered() const noexcept { return at - start - not_delivered(); }

    bool operator==(const cursor&) const = default;
};

/// Where a sink begins of which the backlog knows nothing.
enum class sink_start {
    oldest, ///< at the oldest event kept
    newest, ///< behind the newest
};

/// Whether a backlog can take more.
enum class backlog_condition {
    good,
    full,   ///< no room on the disk; it looks for some by itself
    failed, ///< the disk failed: it takes nothing any more, and the daemon has to end
};

/// A sink for which a journal keeps events: no room comes back before it has taken them.
struct journal_holder {
    std::string sink;
    position oldest = 0;      ///< the first event that is kept for it
    std::uint64_t events = 0; ///< kept for it
    bool configured = true;   ///< false: it was removed from the configuration, and nothing delivers them
};

/// How the run before this one ended.
enum class run_end {
    first_start, ///< there was none
    clean,       ///< it closed its journal, whether events were pending or not
    killed,      ///< it ended without that: SIGKILL, a crash, a power cut
    unknown,     ///< an older version, or the directory is a copy
};

/// What a journal held when this process opened it.
struct journal_found {
    run_end last_run = run_end::first_start;
    std::uint64_t events = 0; ///< from the oldest one that is kept; some sinks may have them already
    std::uint64_t bytes = 0;  ///< of these events in the files
    /// When the oldest one was received; none: there is none, or it is damaged.
    std::optional<wall_time> oldest = {};
};

/// What a backlog on disk has to say for itself. Any figure but `bytes` is about this process's time.
struct journal_status {
    std::uint64_t segments = 0;
    std::uint64_t bytes = 0;     ///< on disk
    std::uint64_t max_bytes = 0; ///< what it may take
    std::uint64_t commits = 0;
    std::uint64_t damaged_bytes = 0; ///< that cannot be read, and were set aside
    std::uint64_t torn_bytes = 0;    ///< of a commit that never finished, cut off at the start
    journal_found found;             ///< at the start
    std::uint64_t fulls = 0;         ///< how often there was no room
    std::chrono::microseconds last_commit{};
    distribution commit_seconds; ///< how long each commit took
    distribution commit_events;  ///< how many events each one stored
    std::string last_error;      ///< of the disk; kept after it works again
    std::vector<journal_holder>
        holders; ///< every sink that has a cursor; the one with the oldest events first
};

/// Where accepted events wait for the sinks: in memory, or in a journal on disk.
///
/// Confined to the tracker's strand: every member is called there and nowhere else, but for what is marked. It does
/// not bound the memory that it takes: the tracker admits events before they come here, and learns from `released`
/// when they have left memory.
///
/// How safe an event is, is said by `stored_end()` alone: an event below it is as safe as this kind of backlog makes
/// it. Memory is there at once; a journal gets there when a sync has returned.
class backlog {
public:
    /// How it calls the tracker: on the strand.
    struct signals {
        std::function<void()> changed; ///< `stored_end()`, `condition()` or `room_at()` has changed
        std::function<void(batch::mark)>
            released; ///< so many events and bytes have left memory; also from within
                      ///< `move_cursor`
        /// For log lines: what this sink fails with now; empty if it works, or is not known. May be null.
        std::function<std::string(std::string_view sink)> sink_error = nullptr;
    };

    virtual ~backlog() = default;

    /// A sink's cursor: as it was kept from an earlier run, or a new one. Called for each sink, before
    /// `keep_new_sinks`.
    /// @param bookmark the cursor's, if none was kept
    [[nodiscard]] virtual cursor
    open_cursor(const std::string& sink, sink_start where, const std::string& bookmark) = 0;

    /// Makes safe what came of `open_cursor`, if the backlog is durable, before anything can be read. Blocks, and may
    /// do so for long where the disk does. Called once, before `start`, on any thread.
    virtual void keep_new_sinks() {}

    /// Begins to work. Called once. Never blocks.
    /// @param strand runs all calls, in both directions
    /// @param time   outlives the backlog
    virtual void start(boost::asio::any_io_executor strand, clock& time, signals to) = 0;

    /// Takes all events of the batch, which get the positions from `end()` on. Never blocks.
    virtual void append(batch events) = 0;

    /// What was appended last. Called right after it.
    [[nodiscard]] virtual std::shared_ptr<const batch> newest() const = 0;

    /// Reads what is stored from `from` on; once the condition is not good, also what is not. `from` lies between the
    /// least cursor and `end()`; or below, at `begin()` or later: what was given up meanwhile reads as damaged then.
    [[nodiscard]] virtual boost::asio::awaitable<chunk> read(position from, read_limits limits) = 0;

    /// The sink has got further. What is below every cursor may be forgotten.
    virtual void move_cursor(std::string_view sink, const cursor& to) = 0;

    /// The oldest event that can still be read, though every cursor may be past it.
    [[nodiscard]] virtual position begin() const noexcept { return end(); }

    [[nodiscard]] virtual position end() const noexcept = 0;        ///< what the next event will get
    [[nodiscard]] virtual position stored_end() const noexcept = 0; ///< see above

    /// How many bytes the encoded events in [from, to) take: exact for those in memory, an estimate for those on disk
    /// alone. `from` as for `read`. Cheap.
    [[nodiscard]] virtual std::uint64_t bytes_between(position from, position to) const = 0;

    /// Where every cursor must have got for there to be room again: the end of the oldest piece that can be given up.
    /// While the backlog is full, the newest piece is one of them.
    [[nodiscard]] virtual position room_at() const noexcept = 0;

    /// Whether there is no room, or will soon be none: sinks that may skip events should do it now.
    [[nodiscard]] virtual bool short_of_room() const noexcept { return false; }

    /// How many encoded bytes may be admitted at once, so that it can take them in whatever batch they come.
    [[nodiscard]] virtual std::size_t max_batch_bytes() const noexcept {
        return static_cast<std::size_t>(-1);
    }

    [[nodiscard]] virtual backlog_condition condition() const noexcept { return backlog_condition::good; }

    /// Whether events that wait here survive the end of the process.
    [[nodiscard]] virtual bool durable() const noexcept = 0;

    /// Sinks whose cursors are kept although `open_cursor` was not called for them: they are not configured any more.
    [[nodiscard]] virtual std::vector<std::string> removed_sinks() const { return {}; }

    /// Removes the cursor of such a sink, and gives up the events that were kept for it alone. Called after `start`.
    /// @return how many events were kept for it
    /// @throws std::exception if that is not on disk yet: it is tried again
    [[nodiscard]] virtual boost::asio::awaitable<std::uint64_t> forget_cursor(std::string /*sink*/) {
        co_return 0;
    }

    /// Stores what is not stored yet, if that is possible, and ends its threads. Called once, when no sink is written
    /// to any more.
    [[nodiscard]] virtual boost::asio::awaitable<void> close() = 0;

    /// How long the write that is under way already takes; zero if there is none. Any thread.
    [[nodiscard]] virtual std::chrono::steady_clock::duration busy_for() const noexcept { return {}; }

    [[nodiscard]] virtual std::optional<journal_status> journal() const { return std::nullopt; }
};

/// A backlog that is gone with the process. Positions start at 1.
[[nodiscard]] std::unique_ptr<backlog> make_memory_backlog();

} // namespace trackd
