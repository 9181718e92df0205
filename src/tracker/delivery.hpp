// The loop between backlog and one sink: read at the cursor, write, confirm, move the cursor, and begin
// again.
#pragma once

#include "tracker/delivery_control.hpp"
#include "tracker/fault_isolation.hpp"
#include "tracker/filter_log.hpp"
#include "tracker/retry.hpp"
#include "tracker/route_index.hpp"
#include "tracker/selection.hpp"
#include "tracker/sink_lag.hpp"
#include "tracker/start_backlog.hpp"
#include "tracker/upkeep.hpp"

#include <trackd/backlog.hpp>
#include <trackd/clock.hpp>
#include <trackd/tracker.hpp>
#include <trackd/wall_clock.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <utility>

namespace trackd {

using tracker_strand = boost::asio::strand<boost::asio::any_io_executor>;

/// One sink's delivery. Owned by the tracker, confined to its strand, with a thread of its own for the sink's
/// blocking calls. `run` is the whole of its life; `begin_drain` and `give_up` bring it to an end.
class delivery {
public:
    /// @param from        how far this sink has got already
    /// @param on_progress called on the strand whenever the cursor has moved
    delivery(
        tracker_strand strand, clock& time, wall_clock wall, sink_spec spec, backlog& from_backlog,
        const cursor& from, retry_options retry, std::function<void()> on_progress
    );

    /// Delivers, until a drain has nothing left or was given up; then closes the sink.
    [[nodiscard]] boost::asio::awaitable<void> run();

    /// There are new events in the backlog.
    void wake() {
        lag_.arrived(backlog_.end(), clock_.now());
        changed_.ring();
    }

    /// Deliver what is pending without delays, then end.
    void begin_drain();

    /// End now: a write that is under way is asked to stop, and waited for.
    void give_up();

    /// Passes over everything below `to`, for good: what its route wants counts as skipped, the rest as filtered. A write
    /// that is under way goes on, and what of it arrives counts as delivered all the same. Happens later, once `learn`
    /// has seen all events below `to`, where the route index does not know them yet.
    void skip_to(position to);

    [[nodiscard]] bool waits_to_skip() const noexcept { return deferred_skip_ > cursor_.at; }

    /// The events that `skip_to` waits for cannot be read: they count as skipped.
    void skip_uncounted();

    /// As `tracker::set_route`.
    void set_route(route wanted);

    /// Which events ahead of the cursor the route does not want; null for a route that wants everything.
    [[nodiscard]] route_index* index() noexcept { return index_ ? &*index_ : nullptr; }

    /// Events for the route index, from the backlog.
    void learn(const chunk& events);

    /// How many events from `from` on are pending: wanted, or not known to be unwanted.
    [[nodiscard]] std::uint64_t pending_from(position from) const noexcept;

    /// Whether it has yet to confirm an event in [from, to).
    [[nodiscard]] bool lacks(position from, position to) const noexcept {
        return cursor_.at < to && (!index_ || index_->wants_any(from, to));
    }

    /// As `tracker::control_sink`, for a sink that is configured.
    [[nodiscard]] sink_control_report control(sink_action action);

    /// `wakeup::never`: it is not paused. Any thread.
    [[nodiscard]] clock::time_point paused_since() const noexcept { return control_.paused_since(); }

    /// As `tracker::with_sink`.
    [[nodiscard]] boost::asio::awaitable<bool> with_sink(std::function<void(sink&, std::stop_token)> work);

    [[nodiscard]] bool required() const noexcept { return spec_.required; }

    [[nodiscard]] bool may_skip() const noexcept {
        return !spec_.required && spec_.when_full == when_full::skip;
    }

    [[nodiscard]] const std::string& name() const noexcept { return spec_.name; }

    [[nodiscard]] const cursor& place() const noexcept { return cursor_; }

    [[nodiscard]] const pending_at_start& at_start() const noexcept { return start_backlog_.status(); }

    /// When the first of the writes failed that failed in a row; `wakeup::never`: the last one did not, or it was of
    /// nothing that is still pending. Any thread.
    [[nodiscard]] clock::time_point failing_since() const noexcept {
        return failing_since_.load(std::memory_order_relaxed);
    }

    /// Where it waits to be told of something new, or has ended by an exception; none while it works, or waits for its
    /// sink, for the disk or for the end of a delay. Any thread.
    [[nodiscard]] std::optional<position> rests_at() const noexcept {
        const auto at = rests_at_.load(std::memory_order_relaxed);
        return at == works_on ? std::nullopt : std::optional{at};
    }

    /// Its books, but for `accepted`, `pending` and `lost`, which only the tracker knows. They begin where the sink
    /// began, be it in an earlier process.
    [[nodiscard]] sink_status status() const;

private:
    static constexpr position works_on = 0; // no event has this position

    /// Says for as long as it lives that the delivery rests.
    class resting {
    public:
        explicit resting(delivery& who) noexcept : where_{who.rests_at_} {
            where_.store(who.cursor_.at, std::memory_order_relaxed);
        }

        ~resting() { where_.store(works_on, std::memory_order_relaxed); }

        resting(const resting&) = delete;
        resting& operator=(const resting&) = delete;

    private:
        std::atomic<position>& where_;
    };

    struct write_error {
        std::string error; // empty: there was none
        write_failure kind = write_failure::failed;
        clock::duration retry_after{0};
        bool others_passed = false; // in the same write
    };

    struct outcome {
        write_result result;
        std::string bookmark; // of what it has confirmed
        std::string warning;  // as the sink gives it
        write_error failed;
    };

    struct probe_event;

    [[nodiscard]] boost::asio::awaitable<void> resume();
    [[nodiscard]] boost::asio::awaitable<void> describe_earlier_deliveries();
    [[nodiscard]] boost::asio::awaitable<chunk> read_delivered(const cursor& place);
    void set_earlier_here(const earlier_deliveries& before) noexcept;
    [[nodiscard]] std::string warning_here() const noexcept;
    void take_warning(std::string warning);
    void resume_here(const std::string& bookmark) noexcept;
    [[nodiscard]] boost::asio::awaitable<void> deliver_all();
    [[nodiscard]] boost::asio::awaitable<void> deliver(chunk events);
    [[nodiscard]] boost::asio::awaitable<outcome> write(std::span<const event_view> events);
    [[nodiscard]] outcome write_here(std::span<const event_view> events) noexcept;
    [[nodiscard]] std::string bookmark_here() const;
    [[nodiscard]] boost::asio::awaitable<void>
    settle(const selection& batch, std::size_t next, std::size_t given, const outcome& written);
    [[nodiscard]] boost::asio::awaitable<void>
    handle_failure(const selection& batch, std::size_t next, std::size_t count, const write_error& failed);
    [[nodiscard]] boost::asio::awaitable<failure_verdict> probe_others(position first, write_failure kind);
    [[nodiscard]] boost::asio::awaitable<std::optional<probe_event>>
    find_probe(position first, write_failure kind);
    [[nodiscard]] boost::asio::awaitable<std::optional<probe_event>>
    find_probe_in_order(position first, bool& is_ordered);
    [[nodiscard]] boost::asio::awaitable<std::optional<probe_event>> find_probe_from(position at);
    void stored_ahead(position at);
    [[nodiscard]] std::size_t take_stored_below(position to);
    [[nodiscard]] std::uint64_t stored_and_unwanted_below(position to) const;
    [[nodiscard]] std::string explained(const std::string& error);
    [[nodiscard]] boost::asio::awaitable<bool>
    dead_letter(const selection& batch, std::size_t next, std::size_t count, const std::string& reason);
    [[nodiscard]] std::string keep_here(std::span<const event_view> events, const death& of) noexcept;
    [[nodiscard]] boost::asio::awaitable<void> close();
    void close_here() noexcept;
    [[nodiscard]] boost::asio::awaitable<void> keep_up();
    [[nodiscard]] boost::asio::awaitable<void>
    wait_to_retry(const std::string& error, clock::duration at_least = {}, bool ends_with_new_events = false);
    void fails();
    bool pause();
    bool end_pause(const char* why);
    std::uint64_t skip_pending();
    [[nodiscard]] boost::asio::awaitable<void> wait_while_paused();

    void fails_no_more() { failing_since_.store(wakeup::never, std::memory_order_relaxed); }

    void confirm(const selection& batch, std::size_t next, const outcome& written);
    void pass(const selection& batch, std::size_t next, std::size_t count);
    void skip_damaged(const chunk& damage);
    [[nodiscard]] bool failed_too_long() const;
    void start_anew() noexcept;
    void works();
    [[nodiscard]] bool may_say(clock::time_point& said) const;
    [[nodiscard]] boost::asio::awaitable<void> linger();
    [[nodiscard]] boost::asio::awaitable<std::optional<chunk>> read();
    void move_cursor();
    void drop_index_if_useless();

    tracker_strand strand_;
    clock& clock_;
    const wall_clock wall_now_;
    sink_spec spec_;
    backlog& backlog_;
    std::function<void()> on_progress_;
    retry_policy retry_;
    const clock::duration max_age_;
    fault_isolation isolation_;
    std::set<position> stored_ahead_; // events behind the cursor's that probes have stored
    bool select_again_ = false;       // the chunk that is being delivered has one of these
    wakeup changed_;
    cursor cursor_;
    std::optional<route_index> index_; // none: the route wants everything
    start_backlog start_backlog_;
    position judged_end_ = 0; // of the events of which a write may be under way: their route does not change
    bool has_chunk_ = false;  // it is being delivered, up to `judged_end_`
    position deferred_skip_ = 0;
    sink_lag lag_;
    upkeep_schedule upkeep_;
    delivery_control control_;
    std::atomic<clock::time_point> failing_since_{wakeup::never};
    std::atomic<position> rests_at_{works_on};
    bool draining_ = false;
    bool given_up_ = false;
    bool closing_ = false;
    // Of the events at the cursor:
    std::uint64_t attempts_ = 0;
    clock::time_point first_failure_ = wakeup::never;

    // When the log was last told of what could be told of every event.
    clock::time_point said_dead_{};
    clock::time_point said_skipped_{};
    clock::time_point said_rejecting_{};
    filter_log filter_log_;
    std::stop_source others_stop_; // for work that has no part in a drain
    sink_status books_;
    std::stop_source stop_;
    boost::asio::thread_pool thread_{1};
};

} // namespace trackd
