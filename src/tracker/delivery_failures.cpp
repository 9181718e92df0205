// What a delivery does after a write that failed: asks which is at fault, a single event or the destination, and acts on it.
#include "base/log.hpp"
#include "tracker/delivery.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <set>
#include <string>
#include <system_error>
#include <utility>

namespace trackd {

namespace asio = boost::asio;

namespace {

constexpr int most_ordered_reads = 64;
constexpr read_limits probe_limits{.events = 64, .bytes = std::size_t{1} << 20U};

} // namespace

/// One event from behind the cursor, and what keeps its memory.
struct delivery::probe_event {
    selection from;
    std::size_t index = 0;

    [[nodiscard]] position at() const { return from.place(index); }

    [[nodiscard]] std::span<const event_view> event() const { return from.events().subspan(index, 1); }
};

// The events from `next` on are those that the sink was given.
asio::awaitable<void>
delivery::settle(const selection& batch, std::size_t next, std::size_t given, const outcome& written) {
    const auto confirmed = written.result.confirmed;
    const auto& rejection = written.result.refusal;
    if (confirmed > 0) confirm(batch, next, written);
    if (confirmed < given) ++attempts_; // the events behind the confirmed ones were given, too
    if (!rejection.empty() && confirmed < given) {
        const write_error rejected{rejection, write_failure::rejected, {}, confirmed > 0};
        co_await handle_failure(batch, next + confirmed, 1, rejected);
    } else if (!written.failed.error.empty()) {
        co_await handle_failure(batch, next, given, written.failed);
    }
}

asio::awaitable<void> delivery::handle_failure(
    const selection& batch, std::size_t next, std::size_t count, const write_error& failed
) {
    const bool is_skipped = batch.place(next) < cursor_.at; // meanwhile
    if (spec_.dead_letters == nullptr || is_skipped) {
        if (!given_up_ && !(is_skipped && failed.kind == write_failure::rejected))
            co_await wait_to_retry(failed.error, failed.retry_after);
        co_return;
    }
    if (first_failure_ == wakeup::never) first_failure_ = clock_.now();
    auto verdict = isolation_.failed(failed.kind, count, failed.error, failed.others_passed);
    if (failed_too_long()) {
        const auto suspects = isolation_.others_pass() ? count : std::max(count, isolation_.suspects());
        static_cast<void>(
            co_await dead_letter(batch, next, std::min(suspects, batch.events().size() - next), failed.error)
        );
        co_return;
    }
    while (verdict == failure_verdict::probe_others && batch.place(next) >= cursor_.at)
        verdict = co_await probe_others(batch.place(next), failed.kind);
    if (batch.place(next) < cursor_.at || control_.paused()) { // skipped meanwhile, or left alone
        isolation_.reset();
        co_return;
    }
    const bool would_be_lost = draining_ && !backlog_.durable() && failed.kind == write_failure::rejected;
    if (verdict == failure_verdict::retry_later && would_be_lost) verdict = failure_verdict::event_at_fault;
    if (verdict == failure_verdict::event_at_fault) {
        if (co_await dead_letter(batch, next, 1, failed.error)) works();
    } else if (verdict == failure_verdict::retry_now) {
        ++books_.retries;
    } else if (!given_up_) {
        co_await wait_to_retry(explained(failed.error), failed.retry_after, isolation_.lacks_comparison());
    }
}

// Has the sink write one event from behind `first`, which failed alone.
asio::awaitable<failure_verdict> delivery::probe_others(position first, write_failure kind) {
    std::optional<probe_event> found;
    const auto is_to_end = [this] { return given_up_ || control_.paused(); };
    if (!is_to_end()) found = co_await find_probe(first, kind);
    if (!found || is_to_end()) co_return isolation_.nothing_to_probe();
    const auto written = co_await write(found->event());
    if (written.result.confirmed == 0) {
        ++books_.retries;
        co_return isolation_.probe_failed(written.failed.kind);
    }
    books_.duplicates += written.result.duplicates;
    ++books_.batches;
    stored_ahead(found->at());
    co_return isolation_.probe_passed();
}

// Where the isolation wants it; else the next event, if that was not probed with success before.
asio::awaitable<std::optional<delivery::probe_event>>
delivery::find_probe(position first, write_failure kind) {
    const auto end = backlog_.stored_end();
    if (end <= first + 1) co_return std::nullopt;
    bool is_ordered = false;
    auto in_order = co_await find_probe_in_order(first, is_ordered);
    if (is_ordered && (in_order || kind != write_failure::rejected)) co_return in_order;
    const auto number = isolation_.probe_number();
    if (number > 0)
        if (auto far = co_await find_probe_from(first + 1 + probe_offset(number, end - first - 1)))
            co_return far;
    auto next = first + 1;
    for (auto stored = stored_ahead_.lower_bound(next); stored != stored_ahead_.end() && *stored == next;
         ++stored)
        ++next;
    if (next < end) co_return co_await find_probe_from(next);
    co_return std::nullopt;
}

// The first event that no other pending one has to come before, by the sink's own order.
asio::awaitable<std::optional<delivery::probe_event>>
delivery::find_probe_in_order(position first, bool& is_ordered) {
    std::set<std::string> waiting;
    auto at = first;
    for (int reads = 0; reads < most_ordered_reads; ++reads) {
        auto found = co_await find_probe_from(at);
        if (!found) break;
        const auto events = found->from.events();
        const auto has_key = [this](const event_view& event) {
            return spec_.sink->order_key(event).has_value();
        };
        is_ordered = is_ordered || std::ranges::any_of(events, has_key);
        if (!is_ordered) break;
        for (; found->index < events.size(); ++found->index) {
            const auto key = spec_.sink->order_key(events[found->index]);
            const bool is_first = !key || !waiting.contains(*key);
            if (is_first && found->at() != first) co_return found;
            if (key) waiting.insert(*key);
        }
        at = found->from.place(events.size());
    }
    co_return std::nullopt;
}

// The first event from there on that the sink wants and does not have.
asio::awaitable<std::optional<delivery::probe_event>> delivery::find_probe_from(position at) {
    while (at >= cursor_.at && !given_up_ && !control_.paused()) {
        if (index_) at = index_->next_wanted(at, backlog_.stored_end());
        if (at >= backlog_.stored_end()) break;
        chunk events;
        try {
            events = co_await backlog_.read(at, probe_limits);
        } catch (const std::system_error& failure) {
            base::log().debug("sink {}: no probe from position {}: {}", spec_.name, at, failure.what());
            break;
        }
        if (events.end() <= at) break;
        at = events.end();
        if (events.events.empty()) continue; // damaged
        probe_event found{{std::move(events), spec_.wanted, stored_ahead_}};
        if (!found.from.events().empty()) co_return found;
        co_await asio::post(asio::bind_executor(strand_, asio::use_awaitable)); // let others in
    }
    co_return std::nullopt;
}

void delivery::stored_ahead(position at) {
    select_again_ = true;
    if (at >= cursor_.at) {
        stored_ahead_.insert(at);
    } else { // skipped meanwhile
        --cursor_.skipped;
        move_cursor();
    }
}

// The cursor passes them.
// @return how many there were
std::size_t delivery::take_stored_below(position to) {
    const auto end = stored_ahead_.lower_bound(to);
    const auto count = static_cast<std::size_t>(std::distance(stored_ahead_.begin(), end));
    stored_ahead_.erase(stored_ahead_.begin(), end);
    return count;
}

// Events that a probe has stored and that a later route does not want: they count as delivered.
std::uint64_t delivery::stored_and_unwanted_below(position to) const {
    const auto is_unwanted = [this](position at) { return !index_->wants_any(at, at + 1); };
    return static_cast<std::uint64_t>(
        std::count_if(stored_ahead_.begin(), stored_ahead_.lower_bound(to), is_unwanted)
    );
}

// The error, with what follows from it. Logged once in ten seconds at most.
std::string delivery::explained(const std::string& error) {
    if (isolation_.lacks_comparison())
        return "rejected, and no other event is pending that could show whether this event or the "
               "destination is at "
               "fault: " +
               error;
    if (!isolation_.rejects_everything()) return error;
    ++books_.all_rejected;
    auto text = "the destination rejects every event that was tried, so all events wait: " + error;
    if (may_say(said_rejecting_)) base::log().error("sink {}: {}", spec_.name, text);
    return text;
}

// False where they could not be kept.
asio::awaitable<bool> delivery::dead_letter(
    const selection& batch, std::size_t next, std::size_t count, const std::string& reason
) {
    const auto dead = batch.events().subspan(next, count);
    const death how{
        reason, attempts_
    }; // made on the strand, which may skip them meanwhile and begin to count anew
    co_await asio::post(asio::bind_executor(thread_.get_executor(), asio::use_awaitable));
    const auto error = keep_here(dead, how);
    co_await asio::post(asio::bind_executor(strand_, asio::use_awaitable));
    if (!error.empty()) {
        co_await wait_to_retry("cannot store dead letter (rejected: " + reason + "): " + error);
        co_return false;
    }
    if (may_say(said_dead_))
        base::log().warn(
            "sink {}: rejected {} event(s), first id {}: {}; {} dead letters in total", spec_.name, count,
            dead.front().id, reason, cursor_.dead_lettered + count
        );
    books_.last_error = reason;
    cursor_.dead_lettered += count;
    isolation_.dead_lettered(count);
    pass(batch, next, count);
    co_return true;
}

bool delivery::failed_too_long() const {
    return max_age_ > clock::duration{0} && first_failure_ != wakeup::never &&
           clock_.now() - first_failure_ >= max_age_;
}

asio::awaitable<void>
delivery::wait_to_retry(const std::string& error, clock::duration at_least, bool ends_with_new_events) {
    const bool was_failing = retry_.failing();
    const bool was_draining = draining_;
    const auto seen = backlog_.stored_end();
    const auto delay = retry_.failed();
    books_.last_error = error;
    if (!was_failing) base::log().warn("sink {}: write failed, will retry: {}", spec_.name, error);
    fails();
    if (!delay) {
        base::log().warn(
            "sink {}: still failing during drain, giving up with events pending: {}", spec_.name, error
        );
        given_up_ = true;
        co_return;
    }
    ++books_.retries;
    // New events wake the delivery too, and mostly are no reason to try earlier; the beginning of a drain is.
    const auto until = clock_.now() + (draining_ ? *delay : std::max(*delay, at_least));
    const delivery_control::delay operators_view{control_};
    const auto is_over = [&] {
        if (operators_view.ended()) return true;
        const auto end = backlog_.stored_end();
        return ends_with_new_events && end > seen && (!index_ || index_->wants_any(seen, end));
    };
    while (clock_.now() < until && draining_ == was_draining && !given_up_ && !is_over())
        co_await changed_.wait(until);
}

} // namespace trackd
