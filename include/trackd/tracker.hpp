// The object at the centre: takes batches, owns the backlog and one delivery a sink, and drains.
#pragma once

#include <trackd/backlog.hpp>
#include <trackd/batch.hpp>
#include <trackd/clock.hpp>
#include <trackd/dead_letters.hpp>
#include <trackd/error.hpp>
#include <trackd/route.hpp>
#include <trackd/sink.hpp>
#include <trackd/sink_control.hpp>
#include <trackd/wall_clock.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace trackd {

class lane;
class onlooker;

/// What an acknowledgement (a 201, or the return of `track`) promises.
enum class ack_mode {
    accepted,  ///< the event is in the backlog
    journaled, ///< the backlog is durable and has the event on stable storage
    delivered, ///< every sink has confirmed it
};

/// Delays between the attempts of a delivery whose sink fails: they double from `min` to `max`, with full
/// jitter.
struct retry_options {
    std::chrono::milliseconds min{100};
    std::chrono::milliseconds max{30'000};
    /// After failing for so long, what a write was given becomes dead letters, where the sink has a place for them.
    /// Zero: never.
    std::chrono::milliseconds max_age{0};
};

struct tracker_options {
    ack_mode ack = ack_mode::accepted;
    std::size_t max_pending_events = 1'000'000;           ///< in memory, at least 1
    std::size_t max_pending_bytes = 256U * 1024U * 1024U; ///< of encoded events in memory; at least 1
    std::chrono::milliseconds ack_timeout{30'000};        ///< how long an acknowledgement may take
    retry_options retry;
    trackd::onlooker* onlooker = nullptr; ///< is shown what is taken in; outlives the tracker
};

/// What a sink that is not required does when it is so slow that there is no room left for new events.
enum class when_full {
    block, ///< like one that is required: nothing new is taken until it has got further
    skip,  ///< passes over the oldest events, which it then never gets
};

/// One destination of a tracker: the sink, and the name that its cursor, log lines and figures go by.
struct sink_spec {
    std::string name; ///< unique within a tracker
    std::string kind; ///< what it is, for people
    std::unique_ptr<trackd::sink> sink;
    read_limits batch;                     ///< the most it gets in one `write`
    sink_start start = sink_start::oldest; ///< if the backlog does not know it
    std::chrono::milliseconds linger{0}; ///< how long an event may wait for others that make its batch larger
    std::chrono::milliseconds upkeep_every{60'000}; ///< how long after its last upkeep the next one comes
    route wanted;                                   ///< what it is given; the rest counts as filtered
    /// Where events go that it will never take. None: it is asked for ever.
    std::shared_ptr<trackd::dead_letters> dead_letters;
    bool required = true;                                   ///< `ack_mode::delivered` waits for it
    trackd::when_full when_full = trackd::when_full::block; ///< `skip` only where it is not required
};

/// What a sink had to get when this process began.
struct pending_at_start {
    std::uint64_t events = 0;
    bool at_most = false;   ///< `events` is an upper bound: the sink's route was not applied to them yet
    bool caught_up = false; ///< nothing of it is left

    bool operator==(const pending_at_start&) const = default;
};

/// One sink's part of the books, from where it began; with a durable backlog that may have been in an earlier process,
/// and all but `lost`, `duplicates`, `batches` and `retries` go on from there. At every moment
/// `accepted = delivered + pending + filtered + dead_lettered + skipped + damaged + lost`.
struct sink_status {
    std::string name;
    std::string kind;
    std::uint64_t accepted = 0;
    std::uint64_t delivered = 0;
    std::uint64_t pending = 0;
    std::uint64_t filtered = 0; ///< with those that wait ahead, as far as they are known to be unwanted
    std::uint64_t dead_lettered = 0;
    std::uint64_t skipped = 0;
    std::uint64_t damaged = 0;
    std::uint64_t lost = 0;
    std::uint64_t filtered_ahead = 0; ///< of the filtered, those that the sink has not passed yet
    std::uint64_t duplicates = 0;     ///< of the delivered, those the sink already had
    std::uint64_t batches = 0;        ///< successful writes
    std::uint64_t retries = 0;        ///< writes that were tried again
    std::uint64_t lag_bytes = 0;      ///< of the pending events: see `backlog::bytes_between`
    std::chrono::seconds lag{0};      ///< how old the oldest pending event is
    /// When nothing will be pending, as things go; none while that does not come nearer.
    std::optional<std::chrono::seconds> caught_up_in;
    bool rejecting_all = false;     ///< it rejects every event that was tried: the destination is at fault
    std::uint64_t all_rejected = 0; ///< attempts at which it did
    bool failing = false;           ///< the last write failed, and what it was of is still pending
    std::chrono::seconds failing_for{0}; ///< since the first one that did, without one that worked
    std::string last_error;              ///< what the last one that failed said; kept after it works again
    std::string warning;                 ///< as `sink::warning`
    pending_at_start at_start;
    bool paused = false; ///< by `tracker::control_sink`; a paused sink is not failing
    std::chrono::seconds paused_for{0};
};

struct tracker_status {
    std::uint64_t accepted = 0;       ///< events admitted since the backlog began
    std::uint64_t refused = 0;        ///< events not admitted: backlog full, or sealed
    std::uint64_t pending_events = 0; ///< in memory; with a journal: not yet written
    std::uint64_t pending_bytes = 0;
    bool sealed = false;
    backlog_condition condition = backlog_condition::good;
    std::optional<journal_status> journal; ///< none: the backlog is memory
    std::vector<sink_status> sinks;
};

/// A coroutine of the tracker that is running: a leak, or what a drain waits for, would show here.
struct activity {
    std::string name;
    std::chrono::steady_clock::duration age{};
};

struct tracker_activities {
    std::vector<activity> deliveries;
    std::vector<activity> timers;
};

/// A delivery that does nothing, and has something to do.
struct resting_delivery {
    std::string sink;
    position at = 0; ///< of the event that it would deliver next

    bool operator==(const resting_delivery&) const = default;
};

/// How a drain ended.
struct drain_report {
    bool in_time = false;            ///< nothing was left when it returned
    tracker_status books;            ///< with `lost` filled in where the backlog does not outlive the process
    std::uint64_t delivered = 0;     ///< events that every sink has
    std::uint64_t pending = 0;       ///< events that wait in a durable backlog for the next start
    std::uint64_t dead_lettered = 0; ///< over all sinks
    std::uint64_t damaged =
        0;                  ///< events that at least one sink cannot be given: the journal is damaged there
    std::uint64_t lost = 0; ///< events that at least one sink will never get
};

/// What would become of the events if the process ended now.
struct tracker_losses {
    std::uint64_t accepted = 0;
    std::uint64_t delivered = 0; ///< to every sink
    std::uint64_t pending = 0;   ///< would be delivered by the next process
    std::uint64_t lost = 0;
};

/// See the file's first line. Its members are called from any thread where not said otherwise; its work runs
/// on a strand of the executor it was given, and on one thread a sink.
///
/// Lives longer than its lanes. Ends with `drain`: destroying a started tracker that was not drained is a bug
/// (it is asserted), because somebody would have been promised something.
class tracker {
public:
    /// @param executor runs the tracker's strand: an io_context's, or a thread pool's
    /// @param sinks    at least one; `open` was already called on each
    /// @throws std::invalid_argument if options, backlog and sinks do not fit together (`journaled` with
    /// memory)
    tracker(
        boost::asio::any_io_executor executor, tracker_options options, std::unique_ptr<backlog> backlog,
        std::vector<sink_spec> sinks, clock& time = system_clock(), wall_clock wall = utc_now
    );
    ~tracker();
    tracker(const tracker&) = delete;
    tracker& operator=(const tracker&) = delete;

    /// Starts the deliveries. Once. Before that it writes down where sinks begin, and blocks as long as the disk does.
    void start();

    /// Hands the batch over, and returns when `ack` holds for all of it.
    ///
    /// Where there is no room in memory it waits for some until `admit_by`; the default does not wait, and nobody waits
    /// for a disk that is full. Before admission
    /// it obeys cancellation. After admission the events are the tracker's: cancellation ends the waiting,
    /// not the delivery. May be called on any executor, also one that runs many threads; a cancellation signal
    /// must then be emitted where the caller runs, as ever.
    /// @return no error;
    ///         or errc::backlog_full, journal_full, too_large, sealed, given_up: nothing of the batch is or will be
    ///         stored;
    ///         or errc::not_confirmed: all of it is stored, and will be delivered;
    ///         or errc::journal_failed, journal_slow: it may be stored, or not
    [[nodiscard]] boost::asio::awaitable<boost::system::error_code>
    track(batch events, clock::time_point admit_by = clock::time_point::min());

    /// A way in for one I/O thread (lane.hpp). The lane may be used only on `context`, which one thread runs.
    /// Called before `start`.
    [[nodiscard]] lane& add_lane(boost::asio::io_context& context);

    /// Takes nothing new from here on; what was admitted on any lane before is collected first. Idempotent.
    void seal() noexcept;

    /// Seals, and delivers what is pending, until the deadline: retry delays collapse, and a sink that was
    /// failing is tried once more and then left. When it returns, every delivery has ended and every sink is
    /// closed. The lanes' executors must still run. Called once; `hurry` makes the deadline now. Not
    /// cancellable.
    [[nodiscard]] boost::asio::awaitable<drain_report> drain(clock::time_point deadline);
    void hurry();

    /// From here on nobody waits for an acknowledgement: who does, or comes to, is told that there is none yet
    /// (errc::not_confirmed), so that he can answer while there is time. What he waits for stays stored.
    void release_waiters();

    /// The books at this moment.
    [[nodiscard]] boost::asio::awaitable<tracker_status> status();

    /// Calls `work` with the sink of this name, on the sink's own thread and between its writes, and returns when that
    /// is done. The token tells it to end: when a drain begins, as that is for what is pending.
    /// @return false if there is no such sink, or it is closed already; then `work` was not called
    /// @throws what `work` throws
    [[nodiscard]] boost::asio::awaitable<bool>
    with_sink(std::string name, std::function<void(sink&, std::stop_token)> work);

    /// Gives the sink of this name what this route wants, from the next events on that its delivery reads.
    /// @return false if there is no such sink
    [[nodiscard]] boost::asio::awaitable<bool> set_route(std::string sink, route wanted);

    /// Does what an operator asks of the sink of this name. A pause ends with the process; a drain ends it earlier where
    /// the backlog is not durable, and otherwise leaves the sink's events pending. What a paused sink has in hand is
    /// written to its end. A sink that skips events for want of room does so while it is paused, too.
    [[nodiscard]] boost::asio::awaitable<sink_control_report>
    control_sink(std::string name, sink_action action);

    /// What it is doing at this moment.
    [[nodiscard]] boost::asio::awaitable<tracker_activities> activities();

    /// Returns when the tracker has drained. Called once, after `start`.
    /// @throws std::runtime_error as soon as the backlog has failed: the owner should drain
    [[nodiscard]] boost::asio::awaitable<void> watch();

    /// How long the disk already takes for the commit that is under way. Needs no strand.
    [[nodiscard]] clock::duration busy_for() const noexcept;

    /// How long this sink has been failing; none if it works, or there is no such sink. Needs no strand.
    [[nodiscard]] std::optional<clock::duration> failing_for(std::string_view sink) const noexcept;

    /// Whether the sink of this name is paused. Needs no strand.
    [[nodiscard]] bool paused(std::string_view sink) const noexcept;

    /// The deliveries that wait to be told of new events although some are stored for them. For a moment that is how
    /// they learn of them; one that is found at the same place again and again has missed it, or has ended by an
    /// exception. Who waits for its sink, for the disk, for the next attempt or for the end of a pause is none of them. Needs no strand.
    [[nodiscard]] std::vector<resting_delivery> resting_on_work() const;

    /// From counters that need no strand: for the one who reports when all else hangs.
    [[nodiscard]] tracker_losses losses() const noexcept;

    /// Events that every sink has, since the backlog began. Needs no strand.
    [[nodiscard]] std::uint64_t delivered() const noexcept;

private:
    class impl;
    std::shared_ptr<impl> impl_;
};

} // namespace trackd
