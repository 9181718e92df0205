#include "base/log.hpp"
#include "base/task_group.hpp"
#include "tracker/acknowledgements.hpp"
#include "tracker/budget.hpp"
#include "tracker/delivery.hpp"
#include "tracker/io_lane.hpp"

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
        std::vector<sink_spec> sinks, clock& time
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

    [[nodiscard]] tracker_status status() const;
    [[nodiscard]] tracker_activities activities() const;

private:
    using waiter_pointer = std::shared_ptr<outside_waiter>;

    asio::awaitable<error_code> admit(batch& events, clock::time_point admit_by, waiter_pointer waiter);
    [[nodiscard]] error_code try_admit(batch& events, const waiter_pointer& waiter, bool waits_if_full);
    void waits_no_more(const waiter_pointer& waiter);
    void submit(submission handed_over);
    void put_into_inbox(submission handed_over);
    void wake_those_without_room();

    // On the strand.
    void take_in();
    void take_in(submission handed_over);
    void progress();
    void settle();
    [[nodiscard]] position confirmed_end() const;
    asio::awaitable<void> take_in_lanes();
    asio::awaitable<void> expire_acknowledgements();
    asio::awaitable<void> give_up_at(clock::time_point deadline);
    [[nodiscard]] drain_report report() const;

    const tracker_options options_;
    clock& clock_;
    tracker_strand strand_;
    budget credit_;
    std::vector<std::unique_ptr<io_lane>> lanes_;
    std::atomic<std::uint64_t> track_accepted_{0};
    std::atomic<std::uint64_t> track_refused_{0};
    std::atomic<std::uint64_t> delivered_{0};

    std::mutex mutex_; // guards what other threads hand over
    std::vector<submission> inbox_;
    std::vector<waiter_pointer> without_room_;

    // Confined to the strand.
    const std::unique_ptr<backlog> backlog_;
    const position first_;
    std::vector<std::unique_ptr<delivery>> deliveries_;
    acknowledgements acknowledgements_;
    wakeup acknowledgements_changed_;
    wakeup hurried_;
    bool started_ = false;
    bool deliveries_ended_ = false;
    bool released_ = false;
    bool drained_ = false;
    base::task_group<asio::any_io_executor> timers_;
    base::task_group<asio::any_io_executor> delivering_;
};

tracker::impl::impl(
    const asio::any_io_executor& executor, tracker_options options, std::unique_ptr<backlog> store,
    std::vector<sink_spec> sinks, clock& time
)
    : options_{options}, clock_{time}, strand_{asio::make_strand(executor)},
      credit_{options.max_pending_events, options.max_pending_bytes}, backlog_{std::move(store)},
      first_{backlog_->begin()}, acknowledgements_changed_{strand_, time}, hurried_{strand_, time},
      timers_{strand_, base::log_failed_task}, delivering_{strand_, base::log_failed_task} {
    for (auto& sink : sinks) {
        deliveries_.push_back(std::make_unique<delivery>(
            strand_, time, std::move(sink), *backlog_, first_, options.retry, [this] { progress(); }
        ));
    }
}

std::uint64_t tracker::impl::accepted() const noexcept {
    auto events = track_accepted_.load(std::memory_order_acquire);
    for (const auto& lane : lanes_)
        events += lane->accepted();
    return events;
}

void tracker::impl::start() {
    started_ = true;
    asio::dispatch(strand_, [self = shared_from_this()] {
        for (auto& delivery : self->deliveries_)
            self->delivering_.spawn("delivery " + delivery->name(), delivery->run());
        self->timers_.spawn("acknowledgement timeouts", self->expire_acknowledgements());
    });
}

lane& tracker::impl::add_lane(asio::io_context& context) {
    auto hand_over = [this](submission handed_over) { submit(std::move(handed_over)); };
    const bool waits = options_.ack != ack_mode::accepted;
    lanes_.push_back(std::make_unique<io_lane>(context, credit_, waits, std::move(hand_over)));
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
        return refused;
    }
    track_accepted_ += count;
    put_into_inbox({std::move(events), [waiter](error_code outcome) {
                        outside_waiter::settle(waiter, outcome);
                    }});
    return {};
}

void tracker::impl::waits_no_more(const waiter_pointer& waiter) {
    const std::lock_guard lock{mutex_};
    std::erase(without_room_, waiter);
}

void tracker::impl::submit(submission handed_over) {
    const std::lock_guard lock{mutex_};
    put_into_inbox(std::move(handed_over));
}

// Under the lock.
void tracker::impl::put_into_inbox(submission handed_over) {
    inbox_.push_back(std::move(handed_over));
    if (inbox_.size() > 1) return; // the strand was called already
    asio::post(strand_, [self = shared_from_this()] { self->take_in(); });
}

void tracker::impl::take_in() {
    std::vector<submission> arrived;
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
    settle();
    if (released_) release_waiters();
    // Deadlines only rise: who waits for an earlier one need not hear of those behind it.
    if (nobody_waited && acknowledgements_.next_deadline() != wakeup::never) acknowledgements_changed_.ring();
}

void tracker::impl::take_in(submission handed_over) {
    backlog_->append(std::move(handed_over.events));
    if (!handed_over.settled) return;
    acknowledgements_.add(
        backlog_->end(), clock_.now() + options_.ack_timeout, std::move(handed_over.settled)
    );
}

// A cursor has moved: some may be answered, and what every sink has may be forgotten.
void tracker::impl::progress() {
    settle();
    const auto confirmed = confirmed_end();
    delivered_.store(confirmed - first_, std::memory_order_release);
    const auto begin = backlog_->begin();
    const auto bytes = backlog_->trim(confirmed);
    const auto events = backlog_->begin() - begin;
    if (events == 0) return;
    credit_.give_back(events, bytes);
    wake_those_without_room();
}

void tracker::impl::settle() {
    switch (options_.ack) {
    case ack_mode::accepted: return acknowledgements_.settle_up_to(backlog_->end());
    case ack_mode::journaled: return acknowledgements_.settle_up_to(backlog_->stored_end());
    case ack_mode::delivered: return acknowledgements_.settle_up_to(confirmed_end());
    }
}

position tracker::impl::confirmed_end() const {
    auto least = backlog_->end();
    for (const auto& delivery : deliveries_)
        least = std::min(least, delivery->cursor());
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
        acknowledgements_.expire(clock_.now());
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
    release_waiters();
    acknowledgements_changed_.ring();
    hurried_.ring();
    co_await timers_.join();
    drained_ = true;
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
    acknowledgements_.settle_all(errc::not_confirmed);
}

void tracker::impl::hurry() {
    hurried_.ring();
}

tracker_status tracker::impl::status() const {
    tracker_status status;
    status.accepted = accepted();
    status.refused = track_refused_;
    for (const auto& lane : lanes_)
        status.refused += lane->refused();
    status.pending_events = credit_.events();
    status.pending_bytes = credit_.bytes();
    status.sealed = credit_.sealed();
    const auto not_taken_in = status.accepted - (backlog_->end() - first_);
    for (const auto& delivery : deliveries_) {
        auto books = delivery->status();
        books.accepted = status.accepted;
        books.pending = backlog_->end() - delivery->cursor() + not_taken_in;
        if (drained_ && !backlog_->durable()) books.lost = std::exchange(books.pending, 0);
        status.sinks.push_back(std::move(books));
    }
    return status;
}

tracker_activities tracker::impl::activities() const {
    tracker_activities running;
    for (auto& task : delivering_.running())
        running.deliveries.push_back({std::move(task.name), task.age});
    for (auto& task : timers_.running())
        running.timers.push_back({std::move(task.name), task.age});
    return running;
}

drain_report tracker::impl::report() const {
    drain_report report;
    report.books = status();
    report.delivered = confirmed_end() - first_;
    for (const auto& sink : report.books.sinks) {
        report.pending = std::max(report.pending, sink.pending);
        report.lost = std::max(report.lost, sink.lost);
        report.dead_lettered += sink.dead_lettered;
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
    std::vector<sink_spec> sinks, clock& time
) {
    check(options, backlog.get(), sinks);
    impl_ = std::make_shared<impl>(executor, options, std::move(backlog), std::move(sinks), time);
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

asio::awaitable<tracker_activities> tracker::activities() {
    return on_strand(impl_, [](impl& self) { return self.activities(); });
}

std::uint64_t tracker::accepted() const noexcept {
    return impl_->accepted();
}

std::uint64_t tracker::delivered() const noexcept {
    return impl_->delivered();
}

} // namespace trackd
