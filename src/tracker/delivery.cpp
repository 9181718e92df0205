#include "tracker/delivery.hpp"

#include "base/log.hpp"

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
      upkeep_{spec_.sink->has_upkeep(), spec_.upkeep_every} {
    books_.name = spec_.name;
    books_.kind = spec_.kind;
}

asio::awaitable<void> delivery::run() {
    try {
        co_await resume();
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
    lag_.progress(cursor_.at, backlog_.end(), clock_.now());
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
            else if (!events->events.empty())
                co_await deliver(std::move(*events));
            else {
                const resting until_it_is_stored{*this};
                co_await changed_.wait();
            }
        } else if (draining_) {
            break;
        } else {
            // What failed is a dead letter, or was skipped: no other write would show that the sink works again.
            fails_no_more();
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
    cursor_.damaged += damage.damaged;
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
    status.filtered = cursor_.filtered;
    status.dead_lettered = cursor_.dead_lettered;
    status.skipped = cursor_.skipped;
    status.delivered = cursor_.delivered();
    const auto now = clock_.now();
    const auto end = backlog_.end();
    if (cursor_.at < end) {
        status.lag_bytes = backlog_.bytes_between(cursor_.at, end);
        status.lag = lag_.age(wall_now_());
    }
    status.paused = control_.paused();
    if (status.paused) status.paused_for = std::chrono::floor<std::chrono::seconds>(now - paused_since());
    status.failing = failing_since() != wakeup::never;
    if (status.failing)
        status.failing_for = std::chrono::floor<std::chrono::seconds>(now - failing_since());
    else if (!control_.paused())
        status.caught_up_in = lag_.caught_up_in(cursor_.at, end, now);
    return status;
}

void delivery::skip_to(position to) {
    if (to <= cursor_.at) return;
    cursor_.skipped += to - cursor_.at;
    cursor_.at = to;
    if (may_say(said_skipped_))
        base::log().error(
            "sink {}: is so slow that there is no room for new events: it never gets those below position "
            "{}; "
            "skipped so far: {}",
            spec_.name, to, cursor_.skipped
        );
    start_anew();
    move_cursor();
    changed_.ring();
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
    const selection batch{std::move(events), spec_.wanted};
    const auto wanted = batch.events();
    if (wanted.empty())
        co_await asio::post(asio::bind_executor(strand_, asio::use_awaitable)); // let others in
    std::size_t next = 0;
    lag_.oldest_came(batch.received_at(cursor_.at));
    while (!given_up_ && !control_.paused()) {
        while (next < wanted.size() && batch.place(next) < cursor_.at)
            ++next;
        if (next == wanted.size()) break;
        const auto given = wanted.subspan(next, std::min(hunt_.most(), wanted.size() - next));
        const auto written = co_await write(given);
        co_await settle(batch, next, given.size(), written);
        co_await keep_up();
    }
    if (!given_up_ && !control_.paused()) pass(batch, wanted.size(), 0);
}

asio::awaitable<delivery::outcome> delivery::write(std::span<const event_view> events) {
    co_await asio::post(asio::bind_executor(thread_.get_executor(), asio::use_awaitable));
    auto what = write_here(events);
    co_await asio::post(asio::bind_executor(strand_, asio::use_awaitable));
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
    } catch (const events_refused& failure) {
        what.refused = true;
        what.error = text_of(failure);
    } catch (const sink_busy& failure) {
        what.retry_after = failure.retry_after;
        what.error = text_of(failure);
    } catch (const std::exception& failure) {
        what.error = text_of(failure);
    } catch (...) { // reported like the others
        what.error = "an exception that is no std::exception";
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

// What became of the events from `next` on that the sink was given.
asio::awaitable<void>
delivery::settle(const selection& batch, std::size_t next, std::size_t given, const outcome& written) {
    const auto confirmed = written.result.confirmed;
    if (confirmed > 0) confirm(batch, next, written);
    if (confirmed < given) ++attempts_; // what stands behind the confirmed ones was given, too
    const bool can_bury = spec_.dead_letters != nullptr;
    if (!written.result.refusal.empty() && confirmed < given) {
        if (!can_bury)
            co_await wait_to_retry(written.result.refusal);
        else if (co_await bury(batch, next + confirmed, 1, written.result.refusal))
            works();
    } else if (written.refused && can_bury && given > 1) {
        hunt_.refused(given);
        ++books_.retries;
    } else if (written.refused && can_bury) {
        if (co_await bury(batch, next, 1, written.error)) {
            hunt_.culprit_found();
            works();
        }
    } else if (!written.error.empty() && !given_up_) {
        const bool skipped_meanwhile = batch.place(next) < cursor_.at;
        if (!skipped_meanwhile && first_failure_ == wakeup::never) first_failure_ = clock_.now();
        if (can_bury && failed_too_long())
            static_cast<void>(co_await bury(batch, next, given, written.error));
        else
            co_await wait_to_retry(written.error, written.retry_after);
    }
}

// Makes dead letters of events that the sink was given. False where that failed.
asio::awaitable<bool>
delivery::bury(const selection& batch, std::size_t next, std::size_t count, const std::string& reason) {
    const auto dead = batch.events().subspan(next, count);
    const death how{
        reason, attempts_
    }; // made on the strand, which may skip them meanwhile and begin to count anew
    co_await asio::post(asio::bind_executor(thread_.get_executor(), asio::use_awaitable));
    const auto error = keep_here(dead, how);
    co_await asio::post(asio::bind_executor(strand_, asio::use_awaitable));
    if (!error.empty()) {
        co_await wait_to_retry("an event that it refuses (" + reason + ") cannot be kept: " + error);
        co_return false;
    }
    if (may_say(said_dead_))
        base::log().warn(
            "sink {}: refuses an event, or {} together, the first one with the id {}: {}; dead letters so "
            "far: {}",
            spec_.name, count, dead.front().id, reason, cursor_.dead_lettered + count
        );
    books_.last_error = reason;
    cursor_.dead_lettered += count;
    pass(batch, next, count);
    co_return true;
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

bool delivery::failed_too_long() const {
    return max_age_ > clock::duration{0} && first_failure_ != wakeup::never &&
           clock_.now() - first_failure_ >= max_age_;
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

asio::awaitable<void> delivery::wait_to_retry(const std::string& error, clock::duration at_least) {
    const bool was_failing = retry_.failing();
    const bool was_draining = draining_;
    const auto delay = retry_.failed();
    books_.last_error = error;
    if (!was_failing) base::log().warn("sink {}: a write failed and is tried again: {}", spec_.name, error);
    fails();
    if (!delay) {
        base::log().warn("sink {}: left with what is pending, it still fails: {}", spec_.name, error);
        given_up_ = true;
        co_return;
    }
    ++books_.retries;
    // New events wake us too, but are no reason to try earlier; the beginning of a drain is.
    const auto until = clock_.now() + (draining_ ? *delay : std::max(*delay, at_least));
    const delivery_control::delay operators_view{control_};
    while (clock_.now() < until && draining_ == was_draining && !given_up_ && !operators_view.ended())
        co_await changed_.wait(until);
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
    hunt_.taken(written.result.confirmed);
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
        cursor_.filtered += to - cursor_.at - (count - late);
        cursor_.at = to;
    } else if (late == 0) {
        return;
    }
    start_anew();
    lag_.oldest_came(batch.received_at(cursor_.at));
    move_cursor();
}

void delivery::move_cursor() {
    backlog_.move_cursor(spec_.name, cursor_);
    lag_.progress(cursor_.at, backlog_.end(), clock_.now());
    on_progress_();
}

} // namespace trackd
