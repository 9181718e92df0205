#include "tracker/delivery.hpp"

#include "base/log.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <random>
#include <system_error>

namespace trackd {

namespace asio = boost::asio;

delivery::delivery(
    tracker_strand strand, clock& time, sink_spec spec, backlog& from_backlog, const cursor& from,
    retry_options retry, std::function<void()> on_progress
)
    : strand_{std::move(strand)}, clock_{time}, spec_{std::move(spec)}, backlog_{from_backlog},
      on_progress_{std::move(on_progress)}, retry_{retry, std::random_device{}()}, changed_{strand_, time},
      cursor_{from} {
    books_.name = spec_.name;
    books_.kind = spec_.kind;
}

asio::awaitable<void> delivery::run() {
    try {
        co_await deliver_all();
    } catch (const std::exception& failure) { // not the sink's fault: see `write`
        books_.last_error = failure.what();
        broken_ = true;
        base::log().error("sink {}: its delivery ended by an exception: {}", spec_.name, failure.what());
    }
    co_await close();
}

asio::awaitable<void> delivery::deliver_all() {
    while (!given_up_) {
        if (cursor_.at < backlog_.end()) {
            co_await linger();
            auto events = co_await read();
            if (!events)
                continue;
            else if (events->damaged > 0)
                skip_damaged(*events);
            else if (!events->events.empty())
                co_await deliver(std::move(*events));
            else
                co_await changed_.wait();
        } else if (draining_) {
            break;
        } else {
            co_await changed_.wait();
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
    draining_ = true;
    retry_.begin_drain(backlog_.durable());
    changed_.ring();
}

void delivery::give_up() {
    given_up_ = true;
    stop_.request_stop();
    changed_.ring();
}

sink_status delivery::status() const {
    auto status = books_;
    status.damaged = cursor_.damaged;
    status.delivered = cursor_.at - cursor_.start - cursor_.damaged;
    status.failing = broken_ || retry_.failing();
    return status;
}

asio::awaitable<void> delivery::deliver(chunk events) {
    const auto end = events.end();
    while (cursor_.at < end && !given_up_) {
        const auto rest = std::span<const event_view>{events.events}.subspan(cursor_.at - events.first);
        const auto written = co_await write(rest);
        if (written.result.confirmed > 0) confirm(written.result);
        if (!written.error.empty() && !given_up_) co_await wait_to_retry(written.error);
    }
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
        what.result = spec_.sink->write(events, stop_.get_token());
        if (what.result.confirmed > events.size()) {
            what.result = {};
            what.error = "the sink confirmed more events than it was given";
        } else if (what.result.confirmed == 0 && !stop_.stop_requested()) {
            what.error = "the sink confirmed nothing, and did not say why";
        }
    } catch (const std::exception& failure) {
        what.error = failure.what();
        if (what.error.empty()) what.error = "an exception without a text";
    } catch (...) { // reported like the others
        what.error = "an exception that is no std::exception";
    }
    return what;
}

asio::awaitable<void> delivery::close() {
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

asio::awaitable<void> delivery::wait_to_retry(const std::string& error) {
    const bool was_failing = retry_.failing();
    const bool was_draining = draining_;
    const auto delay = retry_.failed();
    books_.last_error = error;
    if (!was_failing) base::log().warn("sink {}: a write failed and is tried again: {}", spec_.name, error);
    if (!delay) {
        base::log().warn("sink {}: left with what is pending, it still fails: {}", spec_.name, error);
        given_up_ = true;
        co_return;
    }
    ++books_.retries;
    // New events wake us too, but are no reason to try earlier; the beginning of a drain is.
    const auto until = clock_.now() + *delay;
    while (clock_.now() < until && draining_ == was_draining && !given_up_)
        co_await changed_.wait(until);
}

void delivery::confirm(const write_result& result) {
    if (retry_.failing()) base::log().info("sink {}: works again", spec_.name);
    retry_.succeeded();
    cursor_.at += result.confirmed;
    books_.duplicates += result.duplicates;
    ++books_.batches;
    move_cursor();
}

void delivery::move_cursor() {
    backlog_.move_cursor(spec_.name, cursor_);
    on_progress_();
}

} // namespace trackd
