#include "base/log.hpp"
#include "base/task_group.hpp"
#include "tracker/acknowledgements.hpp"
#include "tracker/budget.hpp"
#include "tracker/delivery.hpp"
#include "tracker/io_lane.hpp"
#include "tracker/retry_advice.hpp"
#include "tracker/room_forecast.hpp"
#include "tracker/route_scan.hpp"
#include "tracker/start_report.hpp"

#include <trackd/onlooker.hpp>
#include <trackd/tracker.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cassert>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace trackd {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

void check(const tracker_options& options, const backlog* store, const std::vector<sink_spec>& sinks) {
    if (store == nullptr) throw std::invalid_argument{"a tracker needs a backlog"};
    if (sinks.empty()) throw std::invalid_argument{"a tracker needs at least one sink"};
    if (options.ack == ack_mode::journaled && !store->durable())
        throw std::invalid_argument{"ack \"journaled\" needs a durable backlog"};
    if (options.ack == ack_mode::delivered && std::ranges::none_of(sinks, &sink_spec::required))
        throw std::invalid_argument{"ack \"delivered\" needs a sink that is required"};
}

// A caller of `track`. His executor may run many things at once, so he waits on a strand of it.
struct outside_waiter {
    outside_waiter(const asio::any_io_executor& executor, clock& time)
        : where{asio::make_strand(executor)}, bell{where, time} {}

    // Any thread.
    static void ring(const std::shared_ptr<outside_waiter>& waiter) {
        asio::post(waiter->where, [waiter] { waiter->bell.ring(); });
    }

    // Any thread.
    static void settle(const std::shared_ptr<outside_waiter>& waiter, error_code outcome) {
        asio::post(waiter->where, [waiter, outcome] {
            waiter->outcome = outcome;
            waiter->settled = true;
            waiter->bell.ring();
        });
    }

    tracker_strand where;
    wakeup bell; // confined to `where`, like what follows
    error_code outcome;
    bool settled = false;
};

// Not a coroutine: awaiting one would throw where the caller has been cancelled.
bool is_cancelled(const asio::cancellation_state& state) noexcept {
    return state.cancelled() != asio::cancellation_type::none;
}

} // namespace

class tracker::impl : public std::enable_shared_from_this<impl> {
public:
    impl(
        const asio::any_io_executor& executor, tracker_options options, std::unique_ptr<backlog> store,
        std::vector<sink_spec> sinks, clock& time, const wall_clock& wall
    );

    [[nodiscard]] tracker_strand strand() const { return strand_; }

    [[nodiscard]] bool at_rest() const noexcept { return !started_ || drained_; }

    [[nodiscard]] std::uint64_t accepted() const noexcept;

    [[nodiscard]] std::uint64_t delivered() const noexcept {
        return delivered_.load(std::memory_order_acquire);
    }

    void start();
    lane& add_lane(asio::io_context& context);
    asio::awaitable<error_code> track(batch events, clock::time_point admit_by);
    void seal() noexcept;

    // On the strand.
    asio::awaitable<drain_report> drain(clock::time_point deadline);
    void hurry();

    void release_waiters();
    asio::awaitable<bool> watch();

    [[nodiscard]] std::chrono::steady_clock::duration busy_for() const noexcept {
        return backlog_->busy_for();
    }

    [[nodiscard]] std::optional<clock::duration> failing_for(std::string_view sink) const noexcept;
    [[nodiscard]] std::vector<resting_delivery> resting_on_work() const;
    [[nodiscard]] tracker_losses losses() const noexcept;

    [[nodiscard]] tracker_status status() const;
    [[nodiscard]] tracker_activities activities() const;
    asio::awaitable<bool> with_sink(std::string name, std::function<void(sink&, std::stop_token)> work);
    asio::awaitable<bool> set_route(std::string sink, route wanted);
    asio::awaitable<sink_control_report> control_sink(std::string name, sink_action action);
    [[nodiscard]] bool paused(std::string_view sink) const noexcept;

private:
    using waiter_pointer = std::shared_ptr<outside_waiter>;

    asio::awaitable<error_code> admit(batch& events, clock::time_point admit_by, waiter_pointer waiter);
    [[nodiscard]] error_code try_admit(batch& events, const waiter_pointer& waiter, bool waits_if_full);
    void waits_no_more(const waiter_pointer& waiter);
    void submit(submission handed_over);
    [[nodiscard]] bool put_into_inbox(submission handed_over);
    void wake_those_without_room();
    void room_is_wanted();

    // With a journal memory is short while the disk is slow, which no sink can help.
    [[nodiscard]] bool room_is_for_sinks_to_make() const noexcept {
        return any_may_skip_ && !backlog_->durable();
    }

    // On the strand.
    void take_in();
    void take_in(submission handed_over);
    void index(position first);
    void scan_routes();
    void report_start() const;
    void progress();
    void backlog_changed();
    void advise_retries();
    void look_at_condition();
    void make_room();
    void settle();
    void settle_unwanted();
    [[nodiscard]] bool lacks_wanted() const noexcept;
    void give_back(batch::mark released);
    [[nodiscard]] delivery* delivery_to(std::string_view sink) const noexcept;
    [[nodiscard]] std::string error_of(std::string_view sink) const;
    asio::awaitable<sink_control_report> control_removed_sink(std::string name, sink_action action);
    [[nodiscard]] error_code why_not_taken() const;
    [[nodiscard]] error_code not_yet() const;
    [[nodiscard]] position confirmed_end() const;
    [[nodiscard]] position required_end() const;
    asio::awaitable<void> take_in_lanes();
    asio::awaitable<void> expire_acknowledgements();
    asio::awaitable<void> give_up_at(clock::time_point deadline);
    [[nodiscard]] drain_report report() const;

    const tracker_options options_;
    clock& clock_;
    tracker_strand strand_;
    const std::unique_ptr<backlog> backlog_; // confined to the strand
    budget credit_;
    std::vector<std::unique_ptr<io_lane>> lanes_;
    retry_advice retry_advice_;
    std::atomic<std::uint64_t> track_accepted_{0};
    std::atomic<std::uint64_t> track_refused_{0};
    std::atomic<std::uint64_t> dropped_{0}; // admitted, and then not stored; its clients know
    std::atomic<std::uint64_t> stored_{0};  // from the first position on, like the next one
    std::atomic<std::uint64_t> delivered_{0};
    bool any_may_skip_ = false; // does not change after the start
    std::atomic<bool> room_wanted_{false};

    std::mutex mutex_; // guards what other threads hand over
    std::vector<submission> inbox_;
    std::vector<waiter_pointer> without_room_;

    // Confined to the strand.
    const std::uint64_t before_; // events that were in the backlog when this process began
    std::uint64_t taken_in_ = 0;
    std::vector<submission> emptied_; // the next inbox, which needs no memory of its own then
    room_forecast forecast_;
    std::vector<std::unique_ptr<delivery>> deliveries_; // which they are does not change
    acknowledgements acknowledgements_;
    wakeup acknowledgements_changed_;
    wakeup hurried_;
    wakeup condition_changed_;
    bool started_ = false;
    bool deliveries_ended_ = false;
    bool released_ = false;
    bool drained_ = false;
    route_scan scan_;
    base::task_group<asio::any_io_executor> timers_;
    base::task_group<asio::any_io_executor> delivering_;
    base::task_group<asio::any_io_executor> scanning_;
};

tracker::impl::impl(
    const asio::any_io_executor& executor, tracker_options options, std::unique_ptr<backlog> store,
    std::vector<sink_spec> sinks, clock& time, const wall_clock& wall
)
    : options_{options}, clock_{time}, strand_{asio::make_strand(executor)}, backlog_{std::move(store)},
      credit_{options.max_pending_events, options.max_pending_bytes, backlog_->max_batch_bytes()},
      retry_advice_{time}, before_{backlog_->end() - 1}, acknowledgements_changed_{strand_, time},
      hurried_{strand_, time}, condition_changed_{strand_, time},
      scan_{strand_, time, *backlog_, deliveries_}, timers_{strand_, base::log_failed_task},
      delivering_{strand_, base::log_failed_task}, scanning_{strand_, base::log_failed_task} {
    for (auto& sink : sinks) {
        any_may_skip_ |= !sink.required && sink.when_full == when_full::skip;
        const auto from = backlog_->open_cursor(sink.name, sink.start, sink.sink->bookmark());
        deliveries_.push_back(std::make_unique<delivery>(
            strand_, time, wall, std::move(sink), *backlog_, from, options.retry, [this] { progress(); }
        ));
    }
    stored_ = before_;
    delivered_ = confirmed_end() - 1;
}

std::uint64_t tracker::impl::accepted() const noexcept {
    auto events = before_ + track_accepted_.load(std::memory_order_acquire) - dropped_;
    for (const auto& lane : lanes_)
        events += lane->accepted();
    return events;
}

void tracker::impl::start() {
    started_ = true;
    backlog_->keep_new_sinks(); // here, where nobody takes it for dead if the disk hangs
    report_start();
    asio::dispatch(strand_, [self = shared_from_this()] {
        auto* tracker = self.get();
        self->backlog_->start(
            self->strand_, self->clock_,
            {[tracker] { tracker->backlog_changed(); }, [tracker](batch::mark m) { tracker->give_back(m); },
             [tracker](std::string_view sink) { return tracker->error_of(sink); }}
        );
        for (auto& delivery : self->deliveries_)
            self->delivering_.spawn("delivery " + delivery->name(), delivery->run());
        self->timers_.spawn("acknowledgement timeouts", self->expire_acknowledgements());
        self->scan_routes();
    });
}

void tracker::impl::report_start() const {
    if (before_ == 0) return;
    std::vector<std::pair<std::string, pending_at_start>> pending;
    for (const auto& delivery : deliveries_)
        pending.emplace_back(delivery->name(), delivery->at_start());
    base::log().info("{}", describe_pending(pending));
}

lane& tracker::impl::add_lane(asio::io_context& context) {
    auto hand_over = [this](submission handed_over) { submit(std::move(handed_over)); };
    const bool waits = options_.ack != ack_mode::accepted;
    std::function<void()> no_room;
    if (room_is_for_sinks_to_make()) no_room = [this] { room_is_wanted(); };
    lanes_.push_back(std::make_unique<io_lane>(
        context, credit_, waits, retry_advice_, std::move(hand_over), std::move(no_room), options_.onlooker
    ));
    return *lanes_.back();
}

asio::awaitable<error_code> tracker::impl::track(batch events, clock::time_point admit_by) {
    const auto executor = co_await asio::this_coro::executor;
    const auto waiter = std::make_shared<outside_waiter>(executor, clock_);
    co_await asio::post(asio::bind_executor(waiter->where, asio::use_awaitable));
    if (const auto refused = co_await admit(events, admit_by, waiter)) {
        track_refused_ += events.events();
        co_return refused;
    }
    while (!waiter->settled) {
        co_await waiter->bell.wait();
        const bool cancelled = is_cancelled(co_await asio::this_coro::cancellation_state);
        if (cancelled && !waiter->settled) co_return errc::not_confirmed;
    }
    co_return waiter->outcome;
}

asio::awaitable<error_code>
tracker::impl::admit(batch& events, clock::time_point admit_by, waiter_pointer waiter) {
    const bool patient = clock_.now() < admit_by;
    auto refused = try_admit(events, waiter, patient);
    while (refused == errc::backlog_full && patient) {
        co_await waiter->bell.wait(admit_by);
        const bool too_late = clock_.now() >= admit_by;
        if (is_cancelled(co_await asio::this_coro::cancellation_state)) {
            refused = errc::given_up;
        } else {
            refused = try_admit(events, waiter, !too_late);
            if (refused == errc::backlog_full && too_late) refused = errc::given_up;
        }
    }
    if (patient) waits_no_more(waiter);
    co_return refused;
}

// Credit is taken and the events handed over under one lock: a drain that seals, and then looks into the inbox under
// this lock, finds everything that was admitted before.
error_code tracker::impl::try_admit(batch& events, const waiter_pointer& waiter, bool waits_if_full) {
    const std::lock_guard lock{mutex_};
    const auto count = events.events();
    if (const auto refused = credit_.take(count, events.bytes())) {
        if (refused == errc::backlog_full && waits_if_full) without_room_.push_back(waiter);
        if (refused == errc::backlog_full && room_is_for_sinks_to_make()) room_is_wanted();
        return refused;
    }
    track_accepted_ += count;
    const bool shown = count > 0 && options_.onlooker != nullptr && options_.onlooker->looks();
    auto settled = [waiter](error_code outcome) { outside_waiter::settle(waiter, outcome); };
    if (put_into_inbox({std::move(events), std::move(settled), shown}))
        asio::post(strand_, [self = shared_from_this()] { self->take_in(); });
    return {};
}

void tracker::impl::waits_no_more(const waiter_pointer& waiter) {
    const std::lock_guard lock{mutex_};
    std::erase(without_room_, waiter);
}

// A lane whose thread is the strand's, too, hands over without another turn of its loop.
void tracker::impl::submit(submission handed_over) {
    bool is_first = false;
    {
        const std::lock_guard lock{mutex_};
        is_first = put_into_inbox(std::move(handed_over));
    }
    if (is_first) asio::dispatch(strand_, [self = shared_from_this()] { self->take_in(); });
}

// Under the lock.
// @return whether the strand has to be called; else it was already
bool tracker::impl::put_into_inbox(submission handed_over) {
    inbox_.push_back(std::move(handed_over));
    return inbox_.size() == 1;
}

void tracker::impl::take_in() {
    auto arrived = std::exchange(emptied_, {});
    {
        const std::lock_guard lock{mutex_};
        arrived.swap(inbox_);
    }
    if (arrived.empty()) return;
    const bool nobody_waited = acknowledgements_.next_deadline() == wakeup::never;
    for (auto& one : arrived)
        take_in(std::move(one));
    for (auto& delivery : deliveries_)
        delivery->wake();
    if (options_.ack != ack_mode::delivered || lacks_wanted()) settle();
    if (released_) release_waiters();
    // Deadlines only rise: who waits for an earlier one need not hear of those behind it.
    if (nobody_waited && acknowledgements_.next_deadline() != wakeup::never) acknowledgements_changed_.ring();
    arrived.clear();
    emptied_ = std::move(arrived);
}

void tracker::impl::take_in(submission handed_over) {
    taken_in_ += handed_over.events.events();
    if (const auto refused = why_not_taken()) {
        dropped_ += handed_over.events.events();
        give_back(handed_over.events.end_mark());
        if (handed_over.settled) handed_over.settled(refused);
        return;
    }
    const auto first = backlog_->end();
    backlog_->append(std::move(handed_over.events));
    index(first);
    if (handed_over.shown) options_.onlooker->show({backlog_->newest(), std::move(handed_over.senders)});
    if (!handed_over.settled) return;
    acknowledgements_.add(
        backlog_->end(), clock_.now() + options_.ack_timeout, std::move(handed_over.settled)
    );
}

// Events that are new, from `first` on: only sinks with a route look at them.
void tracker::impl::index(position first) {
    if (backlog_->end() == first) return;
    for (const auto& each : deliveries_)
        if (auto* of_route = each->index()) of_route->append(first, *backlog_->newest());
}

void tracker::impl::scan_routes() {
    if (!deliveries_ended_ && scan_.is_needed()) scanning_.spawn("route scan", scan_.run());
}

// Why nothing can be stored now. Who was told already that his events are safe is not concerned: they are kept.
error_code tracker::impl::why_not_taken() const {
    if (options_.ack == ack_mode::accepted) return {};
    switch (backlog_->condition()) {
    case backlog_condition::good: return {};
    case backlog_condition::full: return errc::journal_full;
    case backlog_condition::failed: return errc::journal_failed;
    }
    return {};
}

// What to say to those who have waited long enough.
error_code tracker::impl::not_yet() const {
    return options_.ack == ack_mode::journaled ? errc::journal_slow : errc::not_confirmed;
}

// A cursor has moved: some may be answered.
void tracker::impl::progress() {
    const auto confirmed = confirmed_end();
    delivered_.store(confirmed - 1, std::memory_order_release);
    forecast_.progress(confirmed, clock_.now());
    advise_retries();
    // Sinks that may be skipped make room only after those that block have moved.
    if (any_may_skip_ && backlog_->short_of_room()) room_is_wanted();
    settle();
}

void tracker::impl::backlog_changed() {
    for (const auto& each : deliveries_)
        if (auto* of_route = each->index()) of_route->truncate(backlog_->end());
    scan_.wake();
    settle();
    look_at_condition();
    if (any_may_skip_ && backlog_->short_of_room()) make_room();
    stored_.store(backlog_->stored_end() - 1, std::memory_order_release);
    advise_retries();
    for (auto& delivery : deliveries_)
        delivery->wake();
}

void tracker::impl::advise_retries() {
    const bool blocked = backlog_->condition() != backlog_condition::good;
    retry_advice_.publish(forecast_.until(backlog_->room_at(), blocked, clock_.now()));
}

void tracker::impl::look_at_condition() {
    const auto condition = backlog_->condition();
    if (condition == backlog_condition::good) {
        credit_.open();
        return;
    }
    credit_.close(condition == backlog_condition::full ? errc::journal_full : errc::journal_failed);
    if (const auto why = why_not_taken()) {
        acknowledgements_.settle_from(backlog_->stored_end(), why);
        dropped_ = taken_in_ - (backlog_->end() - 1 - before_);
    }
    condition_changed_.ring();
    wake_those_without_room();
}

// Any thread. Many may want it at once: the strand is called once.
void tracker::impl::room_is_wanted() {
    if (room_wanted_.exchange(true)) return;
    asio::post(strand_, [self = shared_from_this()] {
        self->room_wanted_ = false;
        if (!self->backlog_->durable() || self->backlog_->short_of_room()) self->make_room();
    });
}

// Makes those pass over the oldest events who may, unless somebody else keeps them anyway. Out of memory they pass over
// an eighth at once: or every other request would have to be refused to make room for the next.
void tracker::impl::make_room() {
    if (drained_) return;
    auto least = backlog_->end();
    auto kept = backlog_->end(); // from here on, by those who may not
    for (const auto& delivery : deliveries_) {
        least = std::min(least, delivery->place().at);
        if (!delivery->may_skip()) kept = std::min(kept, delivery->place().at);
    }
    const auto needed = backlog_->room_at();
    if (kept < needed) return;
    const auto eighth = least + (backlog_->end() - least) / 8;
    const auto to = backlog_->durable() ? needed : std::min(std::max(needed, eighth), kept);
    for (auto& delivery : deliveries_)
        if (delivery->may_skip()) delivery->skip_to(to);
}

void tracker::impl::give_back(batch::mark released) {
    credit_.give_back(released.events, released.bytes);
    wake_those_without_room();
}

void tracker::impl::settle() {
    switch (options_.ack) {
    case ack_mode::accepted: return acknowledgements_.settle_up_to(backlog_->end());
    case ack_mode::journaled: return acknowledgements_.settle_up_to(backlog_->stored_end());
    case ack_mode::delivered: acknowledgements_.settle_up_to(required_end()); return settle_unwanted();
    }
}

// A sink that is behind holds up only the events that its route wants.
void tracker::impl::settle_unwanted() {
    auto below = backlog_->stored_end();
    bool any_routed = false;
    for (const auto& each : deliveries_) {
        if (!each->required()) continue;
        if (each->index() == nullptr)
            below = std::min(below, each->place().at);
        else
            any_routed = true;
    }
    if (!any_routed) return;
    acknowledgements_.settle_each(below, [this](position from, position to) {
        return std::ranges::none_of(deliveries_, [from, to](const auto& each) {
            return each->required() && each->lacks(from, to);
        });
    });
}

// Whether a sink with a route is behind: one that is not passes what it does not want at once.
bool tracker::impl::lacks_wanted() const noexcept {
    return std::ranges::any_of(deliveries_, [](const auto& each) {
        const bool is_paused = each->paused_since() != wakeup::never;
        return each->index() != nullptr && (is_paused || each->pending_from(each->place().at) > 0);
    });
}

position tracker::impl::required_end() const {
    auto least = backlog_->end();
    for (const auto& delivery : deliveries_)
        if (delivery->required()) least = std::min(least, delivery->place().at);
    return least;
}

position tracker::impl::confirmed_end() const {
    auto least = backlog_->end();
    for (const auto& delivery : deliveries_)
        least = std::min(least, delivery->place().at);
    return least;
}

void tracker::impl::wake_those_without_room() {
    std::vector<waiter_pointer> waiting;
    {
        const std::lock_guard lock{mutex_};
        waiting.swap(without_room_);
    }
    for (const auto& waiter : waiting)
        outside_waiter::ring(waiter);
}

asio::awaitable<void> tracker::impl::expire_acknowledgements() {
    while (!deliveries_ended_) {
        co_await acknowledgements_changed_.wait(acknowledgements_.next_deadline());
        acknowledgements_.expire(clock_.now(), not_yet());
    }
}

void tracker::impl::seal() noexcept {
    credit_.seal();
    wake_those_without_room();
}

asio::awaitable<drain_report> tracker::impl::drain(clock::time_point deadline) {
    seal();
    co_await take_in_lanes();
    for (auto& delivery : deliveries_)
        delivery->begin_drain();
    timers_.spawn("drain deadline", give_up_at(deadline));
    co_await delivering_.join();

    deliveries_ended_ = true;
    scan_.end();
    co_await scanning_.join();
    acknowledgements_changed_.ring();
    hurried_.ring();
    co_await backlog_->close();
    settle();
    look_at_condition();
    release_waiters();
    co_await timers_.join();
    drained_ = true;
    condition_changed_.ring();
    co_return report();
}

// What was admitted before the seal lies in the lanes, or is on its way from them: fetch it. Admission and
// this visit run on the lane's own thread, so nothing can slip in behind it.
asio::awaitable<void> tracker::impl::take_in_lanes() {
    for (auto& lane : lanes_) {
        co_await asio::post(asio::bind_executor(lane->get_executor(), asio::use_awaitable));
        lane->flush();
        co_await asio::post(asio::bind_executor(strand_, asio::use_awaitable));
    }
    take_in();
}

asio::awaitable<void> tracker::impl::give_up_at(clock::time_point deadline) {
    co_await hurried_.wait(deadline);
    if (deliveries_ended_) co_return;
    for (auto& delivery : deliveries_)
        delivery->give_up();
}

// Whoever comes to wait later is released at once, too.
void tracker::impl::release_waiters() {
    released_ = true;
    acknowledgements_.settle_all(not_yet());
}

// Returns true when the backlog has failed, false when the tracker has drained.
asio::awaitable<bool> tracker::impl::watch() {
    while (!drained_ && backlog_->condition() != backlog_condition::failed)
        co_await condition_changed_.wait();
    co_return backlog_->condition() == backlog_condition::failed;
}

tracker_losses tracker::impl::losses() const noexcept {
    tracker_losses now;
    now.delivered =
        delivered_.load(std::memory_order_acquire); // first: none of them overtakes those after it
    const auto stored = std::max(stored_.load(std::memory_order_acquire), now.delivered);
    now.accepted = std::max(accepted(), now.delivered);
    const auto kept = backlog_->durable() ? stored : now.delivered;
    const bool promised = options_.ack == ack_mode::accepted || !backlog_->durable();
    now.pending = kept - now.delivered;
    now.lost = promised && now.accepted > kept ? now.accepted - kept : 0;
    return now;
}

delivery* tracker::impl::delivery_to(std::string_view sink) const noexcept {
    const auto name = [](const auto& one) -> std::string_view { return one->name(); };
    const auto named = std::ranges::find(deliveries_, sink, name);
    return named == deliveries_.end() ? nullptr : named->get();
}

// Nothing while it works.
std::string tracker::impl::error_of(std::string_view sink) const {
    const auto* named = delivery_to(sink);
    return named != nullptr && named->failing_since() != wakeup::never ? named->status().last_error : "";
}

std::optional<clock::duration> tracker::impl::failing_for(std::string_view sink) const noexcept {
    const auto* named = delivery_to(sink);
    if (named == nullptr) return {};
    const auto since = named->failing_since();
    if (since == wakeup::never) return {};
    return clock_.now() - since;
}

std::vector<resting_delivery> tracker::impl::resting_on_work() const {
    std::vector<resting_delivery> found;
    for (const auto& one : deliveries_) {
        const auto at = one->rests_at(); // first: what is stored later than that is told to it
        const auto stored = backlog_->durable() ? stored_.load(std::memory_order_acquire) : accepted();
        if (at && *at <= stored) found.push_back({one->name(), *at});
    }
    return found;
}

void tracker::impl::hurry() {
    hurried_.ring();
}

tracker_status tracker::impl::status() const {
    tracker_status status;
    status.accepted = accepted();
    status.refused = track_refused_ + dropped_;
    for (const auto& lane : lanes_)
        status.refused += lane->refused();
    status.pending_events = credit_.events();
    status.pending_bytes = credit_.bytes();
    status.sealed = credit_.sealed();
    status.condition = backlog_->condition();
    status.journal = backlog_->journal();
    const auto not_taken_in = status.accepted - (backlog_->end() - 1);
    // What is not stored by now will not be; where nothing outlives the process, that is all of it.
    const auto kept_end = backlog_->durable() ? backlog_->stored_end() : 1;
    for (const auto& delivery : deliveries_) {
        auto books = delivery->status();
        const auto& place = delivery->place();
        books.accepted = backlog_->end() - place.start + not_taken_in;
        books.pending = delivery->pending_from(place.at) + not_taken_in;
        if (drained_) {
            books.lost = delivery->pending_from(kept_end);
            books.pending -= books.lost;
        }
        status.sinks.push_back(std::move(books));
    }
    return status;
}

asio::awaitable<bool>
tracker::impl::with_sink(std::string name, std::function<void(sink&, std::stop_token)> work) {
    const auto self = shared_from_this();
    auto* named = delivery_to(name);
    if (named == nullptr) co_return false;
    co_return co_await named->with_sink(std::move(work));
}

asio::awaitable<bool> tracker::impl::set_route(std::string sink, route wanted) {
    const auto self = shared_from_this();
    auto* named = delivery_to(sink);
    if (named != nullptr) named->set_route(std::move(wanted));
    scan_routes();
    co_return named != nullptr;
}

asio::awaitable<sink_control_report> tracker::impl::control_sink(std::string name, sink_action action) {
    const auto self = shared_from_this();
    if (auto* named = delivery_to(name)) co_return named->control(action);
    co_return co_await control_removed_sink(std::move(name), action);
}

// Of a sink that is not configured any more there is only its cursor in the backlog.
asio::awaitable<sink_control_report>
tracker::impl::control_removed_sink(std::string name, sink_action action) {
    sink_control_report report;
    auto removed = backlog_->removed_sinks();
    if (std::ranges::find(removed, name) == removed.end()) {
        report.result = sink_control_result::unknown_sink;
        report.removed = std::move(removed);
        for (const auto& delivery : deliveries_)
            report.configured.push_back(delivery->name());
        co_return report;
    }
    if (action != sink_action::forget)
        co_return sink_control_report{.result = sink_control_result::not_configured};
    try {
        report.events = co_await backlog_->forget_cursor(std::move(name));
        report.changed = true;
    } catch (const std::exception& failure) {
        report.result = sink_control_result::not_saved;
        report.error = failure.what();
    }
    co_return report;
}

bool tracker::impl::paused(std::string_view sink) const noexcept {
    const auto* named = delivery_to(sink);
    return named != nullptr && named->paused_since() != wakeup::never;
}

tracker_activities tracker::impl::activities() const {
    tracker_activities running;
    for (auto& task : delivering_.running())
        running.deliveries.push_back({std::move(task.name), task.age});
    for (const auto* group : {&timers_, &scanning_})
        for (auto& task : group->running())
            running.timers.push_back({std::move(task.name), task.age});
    return running;
}

drain_report tracker::impl::report() const {
    drain_report report;
    report.books = status();
    report.delivered = report.books.accepted;
    for (const auto& sink : report.books.sinks) {
        report.pending = std::max(report.pending, sink.pending);
        report.lost = std::max(report.lost, sink.lost);
        report.dead_lettered += sink.dead_lettered;
        report.damaged = std::max(report.damaged, sink.damaged);
        const auto not_delivered =
            sink.pending + sink.lost + sink.damaged + sink.dead_lettered + sink.skipped;
        report.delivered = std::min(report.delivered, report.books.accepted - not_delivered);
    }
    report.in_time = report.pending == 0 && report.lost == 0;
    return report;
}

namespace {

// To do something on the strand from elsewhere, to its end: without the caller's cancellation slot, because a
// cancellation signal must not cross threads.
auto to_the_end() {
    return asio::bind_cancellation_slot(asio::cancellation_slot{}, asio::use_awaitable);
}

template <class Impl, class Question>
auto ask(std::shared_ptr<Impl> self, Question question) -> asio::awaitable<decltype(question(*self))> {
    co_return question(*self);
}

template <class Impl, class Question>
auto on_strand(std::shared_ptr<Impl> self, Question question) -> asio::awaitable<decltype(question(*self))> {
    co_return co_await asio::co_spawn(self->strand(), ask(self, question), to_the_end());
}

} // namespace

tracker::tracker(
    asio::any_io_executor executor, tracker_options options, std::unique_ptr<backlog> backlog,
    std::vector<sink_spec> sinks, clock& time, wall_clock wall
) {
    check(options, backlog.get(), sinks);
    impl_ = std::make_shared<impl>(executor, options, std::move(backlog), std::move(sinks), time, wall);
}

tracker::~tracker() {
    assert(impl_->at_rest());
}

void tracker::start() {
    impl_->start();
}

asio::awaitable<error_code> tracker::track(batch events, clock::time_point admit_by) {
    return impl_->track(std::move(events), admit_by);
}

lane& tracker::add_lane(asio::io_context& context) {
    return impl_->add_lane(context);
}

void tracker::seal() noexcept {
    impl_->seal();
}

asio::awaitable<drain_report> tracker::drain(clock::time_point deadline) {
    co_return co_await asio::co_spawn(impl_->strand(), impl_->drain(deadline), to_the_end());
}

void tracker::hurry() {
    asio::post(impl_->strand(), [self = impl_] { self->hurry(); });
}

void tracker::release_waiters() {
    asio::post(impl_->strand(), [self = impl_] { self->release_waiters(); });
}

asio::awaitable<tracker_status> tracker::status() {
    return on_strand(impl_, [](impl& self) { return self.status(); });
}

asio::awaitable<bool> tracker::with_sink(std::string name, std::function<void(sink&, std::stop_token)> work) {
    co_return co_await asio::co_spawn(
        impl_->strand(), impl_->with_sink(std::move(name), std::move(work)), to_the_end()
    );
}

asio::awaitable<bool> tracker::set_route(std::string sink, route wanted) {
    co_return co_await asio::co_spawn(
        impl_->strand(), impl_->set_route(std::move(sink), std::move(wanted)), to_the_end()
    );
}

asio::awaitable<sink_control_report> tracker::control_sink(std::string name, sink_action action) {
    co_return co_await asio::co_spawn(
        impl_->strand(), impl_->control_sink(std::move(name), action), to_the_end()
    );
}

bool tracker::paused(std::string_view sink) const noexcept {
    return impl_->paused(sink);
}

asio::awaitable<tracker_activities> tracker::activities() {
    return on_strand(impl_, [](impl& self) { return self.activities(); });
}

asio::awaitable<void> tracker::watch() {
    const bool failed = co_await asio::co_spawn(impl_->strand(), impl_->watch(), to_the_end());
    if (failed) throw std::runtime_error{"the journal failed"};
}

std::chrono::steady_clock::duration tracker::busy_for() const noexcept {
    return impl_->busy_for();
}

tracker_losses tracker::losses() const noexcept {
    return impl_->losses();
}

std::optional<clock::duration> tracker::failing_for(std::string_view sink) const noexcept {
    return impl_->failing_for(sink);
}

std::vector<resting_delivery> tracker::resting_on_work() const {
    return impl_->resting_on_work();
}

std::uint64_t tracker::delivered() const noexcept {
    return impl_->delivered();
}

} // namespace trackd
