// The part of a delivery that does what an operator asks of its sink.
#include "base/log.hpp"
#include "tracker/delivery.hpp"

#include <algorithm>
#include <utility>

namespace trackd {

namespace asio = boost::asio;

sink_control_report delivery::control(sink_action action) {
    if (closing_ || draining_) return {.result = sink_control_result::ending};
    if (action == sink_action::retry && control_.paused()) return {.result = sink_control_result::paused};
    sink_control_report report;
    switch (action) {
    case sink_action::pause: report.changed = pause(); break;
    case sink_action::resume: report.changed = end_pause("resumed by the operator"); break;
    case sink_action::retry: report.changed = control_.expedite(); break;
    case sink_action::skip: report.events = skip_pending(); break;
    case sink_action::forget: return {.result = sink_control_result::configured};
    }
    changed_.ring();
    if (action == sink_action::skip)
        report.changed = report.events > 0;
    else
        report.events = pending_from(cursor_.at);
    return report;
}

bool delivery::pause() {
    if (control_.paused()) return false;
    control_.pause(clock_.now());
    fails_no_more();
    base::log().warn(
        "sink {}: paused by the operator; its events stay pending until `trackd sink resume {}`, or a "
        "restart",
        spec_.name, spec_.name
    );
    return true;
}

bool delivery::end_pause(const char* why) {
    if (!control_.paused()) return false;
    control_.resume();
    first_failure_ = wakeup::never; // a pause is no failure that could make dead letters
    isolation_.reset();             // the destination may have changed meanwhile
    base::log().info("sink {}: {}; {} events are pending", spec_.name, why, pending_from(cursor_.at));
    return true;
}

// Only what is stored: a full disk may drop the rest from the backlog, and its positions come again then.
std::uint64_t delivery::skip_pending() {
    const auto end = backlog_.stored_end();
    const auto before = cursor_.skipped;
    const auto pending = pending_from(cursor_.at) - pending_from(end);
    const auto last_said =
        std::exchange(said_skipped_, clock_.now()); // for what skips because of a full backlog
    skip_to(end);
    said_skipped_ = last_said;
    // Where the route still has to look at the events, they are skipped a moment later.
    const auto skipped = waits_to_skip() ? pending : cursor_.skipped - before;
    if (skipped == 0) return 0;
    control_.expedite(); // the delay was for events that are not pending any more
    base::log().warn(
        "sink {}: skipped {} pending events, those below position {}, as the operator asked for", spec_.name,
        skipped, end
    );
    return skipped;
}

asio::awaitable<void> delivery::wait_while_paused() {
    if (cursor_.at < backlog_.end())
        lag_.fell_behind(wall_now_());
    else
        lag_.caught_up(); // by a skip
    co_await keep_up();
    if (control_.paused() && !draining_ && !given_up_) co_await changed_.wait(upkeep_.next());
}

} // namespace trackd
