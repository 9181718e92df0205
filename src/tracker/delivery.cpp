#include "tracker/delivery.hpp"

#include "base/log.hpp"
#include "tracker/start_report.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <random>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace trackd {

namespace asio = boost::asio;

namespace {

std::string text_of(const std::exception& failure) {
    const std::string text = failure.what();
    return text.empty() ? "an exception without a text" : text;
}

} // namespace

delivery::delivery(
    tracker_strand strand, clock& time, wall_clock wall, sink_spec spec, backlog& from_backlog,
    const cursor& from, retry_options retry, std::function<void()> on_progress
)
    : strand_{std::move(strand)}, clock_{time}, wall_now_{std::move(wall)}, spec_{std::move(spec)},
      backlog_{from_backlog}, on_progress_{std::move(on_progress)}, retry_{retry, std::random_device{}()},
      max_age_{retry.max_age}, changed_{strand_, time}, cursor_{from},
      start_backlog_{
          from, backlog_.end(), backlog_.end() - std::min(from.at, backlog_.end()), !spec_.wanted.wants_all(),
          time.now()
      },
      upkeep_{spec_.sink->has_upkeep(), spec_.upkeep_every} {
    books_.name = spec_.name;
    books_.kind = spec_.kind;
    if (!spec_.wanted.wants_all()) index_.emplace(spec_.wanted, cursor_.at, cursor_.at, backlog_.end());
}

asio::awaitable<void> delivery::run() {
    try {
        co_await resume();
        co_await describe_earlier_deliveries();
        co_await deliver_all();
    } catch (const std::exception& failure) { // not the sink's fault: see `write`
        books_.last_error = failure.what();
        fails();
        rests_at_.store(cursor_.at, std::memory_order_relaxed); // for good
        base::log().error("sink {}: its delivery ended by an exception: {}", spec_.name, failure.what());
    }
    co_await close();
}

asio::awaitable<void> delivery::resume() {
    const auto bookmark = cursor_.bookmark;
    if (bookmark.empty()) co_return;
    co_await asio::post(asio::bind_executor(thread_.get_executor(), asio::use_awaitable));
    resume_here(bookmark);
    co_await asio::post(asio::bind_executor(strand_, asio::use_awaitable));
}

// On the sink's thread.
void delivery::resume_here(const std::string& bookmark) noexcept {
    try {
        spec_.sink->resume(bookmark);
    } catch (const std::exception& failure) {
        base::log().warn("sink {}: makes nothing of its bookmark: {}", spec_.name, failure.what());
    } catch (...) {
        base::log().warn(
            "sink {}: makes nothing of its bookmark, by an exception that is no std::exception", spec_.name
        );
    }
}

asio::awaitable<void> delivery::deliver_all() {
    lag_.begin(cursor_.at, backlog_.end(), clock_.now(), wall_now_());
    while (!given_up_) {
        if (control_.paused()) {
            if (draining_) break; // what is pending stays in the backlog: see `begin_drain`
            co_await wait_while_paused();
        } else if (cursor_.at < backlog_.end()) {
            lag_.fell_behind(wall_now_());
            co_await linger();
            auto events = co_await read();
            if (!events || events->first != cursor_.at) // skipped meanwhile
                continue;
            else if (events->damaged > 0)
                skip_damaged(*events);
            else if (!events->events.empty()) {
                has_chunk_ = true;
                co_await deliver(std::move(*events));
                has_chunk_ = false;
            } else {
                const resting until_it_is_stored{*this};
                co_await changed_.wait();
            }
        } else if (draining_) {
            break;
        } else {
            // What failed is a dead letter, or was skipped: no other write would show that the sink works again.
            fails_no_more();
            isolation_.reset(); // a pass of long ago says nothing about the events to come
            lag_.caught_up();
            co_await keep_up();
            const resting until_something_comes{*this};
            co_await changed_.wait(upkeep_.next());
        }
    }
}

// One write of many events costs a sink little more than a write of one.
asio::awaitable<void> delivery::linger() {
    const auto until = clock_.now() + spec_.linger;
    while (!draining_ && !given_up_ && backlog_.end() - cursor_.at < spec_.batch.events &&
           clock_.now() < until)
        co_await changed_.wait(until);
}

// Nothing, if it has to be tried again.
asio::awaitable<std::optional<chunk>> delivery::read() {
    std::optional<chunk> events;
    std::string error;
    try {
        events = co_await backlog_.read(cursor_.at, spec_.batch);
    } catch (const std::system_error& failure) {
        error = failure.what();
    }
    if (!error.empty()) co_await wait_to_retry("the backlog cannot be read: " + error);
    co_return events;
}

void delivery::skip_damaged(const chunk& damage) {
    base::log().error(
        "sink {}: {} events, from position {} on, can no longer be read, and are not delivered", spec_.name,
        damage.damaged, damage.first
    );
    cursor_.at = damage.end();
    cursor_.damaged += damage.damaged - take_stored_below(damage.end()); // the sink has these
    start_anew();
    isolation_.reset();
    move_cursor();
}

void delivery::begin_drain() {
    if (!backlog_.durable()) end_pause("resumed, because the backlog does not outlive the process");
    draining_ = true;
    others_stop_.request_stop();
    retry_.begin_drain(backlog_.durable());
    changed_.ring();
}

void delivery::give_up() {
    given_up_ = true;
    stop_.request_stop();
    others_stop_.request_stop();
    changed_.ring();
}

sink_status delivery::status() const {
    auto status = books_;
    status.damaged = cursor_.damaged;
    status.filtered_ahead = index_ ? index_->unwanted() : 0;
    status.filtered = cursor_.filtered + status.filtered_ahead;
    status.dead_lettered = cursor_.dead_lettered;
    status.skipped = cursor_.skipped;
    status.delivered = cursor_.delivered();
    const auto now = clock_.now();
    const auto end = backlog_.end();
    const bool lacks_some = pending_from(cursor_.at) > 0;
    if (lacks_some) {
        const auto bytes = backlog_.bytes_between(cursor_.at, end);
        status.lag_bytes = bytes - std::min(bytes, index_ ? index_->unwanted_bytes() : 0);
        status.lag = lag_.age(cursor_.at, wall_now_(), now);
    }
    status.at_start = start_backlog_.status();
    status.rejecting_all = isolation_.rejects_everything();
    status.paused = control_.paused();
    if (status.paused) status.paused_for = std::chrono::floor<std::chrono::seconds>(now - paused_since());
    status.failing = failing_since() != wakeup::never;
    if (status.failing)
        status.failing_for = std::chrono::floor<std::chrono::seconds>(now - failing_since());
    else if (!control_.paused())
        status.caught_up_in = lag_.caught_up_in(lacks_some ? cursor_.at : end, end, now);
    return status;
}

void delivery::skip_to(position to) {
    if (to <= cursor_.at) return;
    if (index_ && !index_->knows_below(to)) {
        deferred_skip_ = std::max(deferred_skip_, to);
        return;
    }
    const auto passed = to - cursor_.at;
    const auto unwanted = index_ ? index_->unwanted_below(to) - stored_and_unwanted_below(to) : 0;
    const auto skipped = passed - std::min(passed, unwanted + take_stored_below(to));
    cursor_.filtered += unwanted;
    cursor_.skipped += skipped;
    cursor_.at = to;
    if (skipped > 0 && may_say(said_skipped_))
        base::log().error(
            "sink {}: too slow, backlog full; skipping to position {} ({} events skipped in total)",
            spec_.name, to, cursor_.skipped
        );
    start_anew();
    isolation_.reset();
    move_cursor();
    changed_.ring();
}

void delivery::skip_uncounted() {
    if (!waits_to_skip()) return;
    if (index_) index_->assume_wanted_below(deferred_skip_);
    skip_to(deferred_skip_);
}

void delivery::learn(const chunk& events) {
    if (!index_) return;
    index_->add(events);
    if (waits_to_skip() && index_->knows_below(deferred_skip_)) skip_to(deferred_skip_);
    on_progress_();
}

void delivery::set_route(route wanted) {
    spec_.wanted = std::move(wanted);
    if (!has_chunk_) judged_end_ = cursor_.at; // a chunk that was dropped is read again, for this route
    if (index_)
        index_->set_route(spec_.wanted, judged_end_);
    else if (!spec_.wanted.wants_all())
        index_.emplace(spec_.wanted, cursor_.at, std::max(cursor_.at, judged_end_), backlog_.end());
    drop_index_if_useless();
    if (waits_to_skip()) skip_to(deferred_skip_);
}

// Kept where the route has come to want everything, until the events are passed that the route before has judged.
void delivery::drop_index_if_useless() {
    if (index_ && spec_.wanted.wants_all() && cursor_.at >= judged_end_) index_.reset();
}

std::uint64_t delivery::pending_from(position from) const noexcept {
    const auto first = std::clamp(from, cursor_.at, std::max(cursor_.at, backlog_.end()));
    const auto unwanted = index_ ? index_->unwanted() - index_->unwanted_below(first) : 0;
    return backlog_.end() - std::min(first, backlog_.end()) - unwanted;
}

// Other events are at the cursor than those that were tried.
void delivery::start_anew() noexcept {
    attempts_ = 0;
    first_failure_ = wakeup::never;
}

// At most once in ten seconds.
bool delivery::may_say(clock::time_point& said) const {
    const auto now = clock_.now();
    if (said != clock::time_point{} && now - said < std::chrono::seconds{10}) return false;
    said = now;
    return true;
}

asio::awaitable<void> delivery::deliver(chunk events) {
    if (index_) {
        if (judged_end_ > cursor_.at)
            index_->judge_again(events); // dropped before, perhaps under another route
        index_->add(events);
    }
    const selection batch{std::move(events), spec_.wanted, stored_ahead_};
    const auto wanted = batch.events();
    if (wanted.size() < batch.chunk_events().size())
        filter_log_.write(spec_.name, batch.chunk_events(), spec_.wanted, clock_.now());
    judged_end_ = std::max(judged_end_, batch.place(wanted.size()));
    if (wanted.empty())
        co_await asio::post(asio::bind_executor(strand_, asio::use_awaitable)); // let others in
    std::size_t next = 0;
    lag_.oldest_came(batch.received_at(cursor_.at));
    while (!given_up_ && !control_.paused()) {
        while (next < wanted.size() && batch.place(next) < cursor_.at)
            ++next;
        if (next == wanted.size()) break;
        const auto given = wanted.subspan(next, std::min(isolation_.limit(), wanted.size() - next));
        const auto written = co_await write(given);
        co_await settle(batch, next, given.size(), written);
        co_await keep_up();
        if (std::exchange(select_again_, false)) co_return;
    }
    if (!given_up_ && !control_.paused()) pass(batch, wanted.size(), 0);
}

asio::awaitable<delivery::outcome> delivery::write(std::span<const event_view> events) {
    co_await asio::post(asio::bind_executor(thread_.get_executor(), asio::use_awaitable));
    auto what = write_here(events);
    what.warning = warning_here();
    co_await asio::post(asio::bind_executor(strand_, asio::use_awaitable));
    take_warning(std::move(what.warning));
    co_return what;
}

// On the sink's thread. Whatever a sink throws, and whatever it makes up, is a failure of this one write.
delivery::outcome delivery::write_here(std::span<const event_view> events) noexcept {
    outcome what;
    try {
        auto result = spec_.sink->write(events, stop_.get_token());
        if (result.confirmed > events.size())
            throw std::runtime_error{"the sink confirmed more events than it was given"};
        if (result.confirmed == 0 && result.refusal.empty() && !stop_.stop_requested())
            throw std::runtime_error{"the sink confirmed nothing, and did not say why"};
        what.bookmark = bookmark_here();
        what.result = std::move(result);
    } catch (const events_refused& refused) {
        what.failed = {text_of(refused), write_failure::rejected};
    } catch (const sink_busy& busy) {
        what.failed = {text_of(busy), write_failure::failed, busy.retry_after};
    } catch (const std::exception& error) {
        what.failed.error = text_of(error);
    } catch (...) { // reported like the others
        what.failed.error = "an exception that is no std::exception";
    }
    return what;
}

// On the sink's thread.
std::string delivery::bookmark_here() const {
    auto bookmark = spec_.sink->bookmark();
    if (!is_bookmark(bookmark))
        throw std::runtime_error{
            "the sink gave a bookmark that cannot be kept; expected small letters, digits, colons, dots and "
            "hyphens, at most " +
            std::to_string(max_bookmark_bytes)
        };
    return bookmark;
}

// On the sink's thread.
std::string delivery::keep_here(std::span<const event_view> events, const death& of) noexcept {
    try {
        spec_.dead_letters->keep(events, of);
    } catch (const std::exception& failure) {
        return text_of(failure);
    }
    return {};
}

asio::awaitable<bool> delivery::with_sink(std::function<void(sink&, std::stop_token)> work) {
    if (closing_) co_return false;
    std::exception_ptr failure;
    std::string bookmark;
    co_await asio::post(asio::bind_executor(thread_.get_executor(), asio::use_awaitable));
    try {
        work(*spec_.sink, others_stop_.get_token());
        bookmark = bookmark_here();
    } catch (...) {
        failure = std::current_exception();
    }
    co_await asio::post(asio::bind_executor(strand_, asio::use_awaitable));
    if (failure) std::rethrow_exception(failure);
    // What a write before it has confirmed is in the cursor by now: its end was told to the strand before.
    if (cursor_.bookmark != bookmark) {
        cursor_.bookmark = std::move(bookmark);
        move_cursor();
    }
    co_return true;
}

asio::awaitable<void> delivery::close() {
    closing_ = true;
    co_await asio::post(asio::bind_executor(thread_.get_executor(), asio::use_awaitable));
    close_here();
    co_await asio::post(asio::bind_executor(strand_, asio::use_awaitable));
    thread_.join();
}

void delivery::close_here() noexcept {
    try {
        spec_.sink->close();
    } catch (const std::exception& failure) {
        base::log().warn("sink {}: closing it failed: {}", spec_.name, failure.what());
    } catch (...) {
        base::log().warn("sink {}: closing it failed by an exception that is no std::exception", spec_.name);
    }
}

// Upkeep, if it is due. What goes wrong there is no matter of the events.
asio::awaitable<void> delivery::keep_up() {
    if (draining_ || given_up_ || clock_.now() < upkeep_.next()) co_return;
    bool has_more = false;
    std::string error;
    const auto work = [&has_more](sink& of, const std::stop_token& stop) { has_more = of.upkeep(stop); };
    try {
        co_await with_sink(work);
    } catch (const std::exception& failure) {
        error = text_of(failure);
    } catch (...) { // reported like the others
        error = "an exception that is no std::exception";
    }
    if (error.empty())
        upkeep_.worked(has_more, clock_.now());
    else if (upkeep_.failed(error, clock_.now()))
        base::log().warn("sink {}: its upkeep failed, and is tried again: {}", spec_.name, error);
}

void delivery::fails() {
    if (control_.paused()) return;
    if (failing_since() == wakeup::never) failing_since_.store(clock_.now(), std::memory_order_relaxed);
}

// It has taken something, or said what it will never take.
void delivery::works() {
    if (retry_.failing()) base::log().info("sink {}: works again", spec_.name);
    fails_no_more();
    retry_.succeeded();
}

void delivery::confirm(const selection& batch, std::size_t next, const outcome& written) {
    works();
    isolation_.passed(written.result.confirmed);
    books_.duplicates += written.result.duplicates;
    ++books_.batches;
    cursor_.bookmark = written.bookmark;
    pass(batch, next, written.result.confirmed);
}

// The sink is done with so many events from `next` on, and with what it did not want before and between them.
void delivery::pass(const selection& batch, std::size_t next, std::size_t count) {
    std::size_t late = 0; // were skipped while it dealt with them
    while (late < count && batch.place(next + late) < cursor_.at)
        ++late;
    cursor_.skipped -= late;
    if (const auto to = batch.place(next + count); to > cursor_.at) {
        cursor_.filtered += to - cursor_.at - (count - late) - take_stored_below(to);
        cursor_.at = to;
    } else if (late == 0) {
        return;
    }
    start_anew();
    lag_.oldest_came(batch.received_at(cursor_.at));
    move_cursor();
}

void delivery::move_cursor() {
    if (index_) index_->pass_to(cursor_.at);
    drop_index_if_useless();
    backlog_.move_cursor(spec_.name, cursor_);
    lag_.progress(cursor_.at, backlog_.end(), clock_.now());
    if (const auto event = start_backlog_.reached(cursor_, clock_.now()))
        base::log().info("{}", describe(*event, spec_.name));
    on_progress_();
}

} // namespace trackd
