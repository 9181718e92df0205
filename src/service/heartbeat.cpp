#include "service/heartbeat.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

namespace trackd::service {

heartbeat::heartbeat(
    const boost::asio::any_io_executor& executor, clock& time, clock::duration interval,
    std::function<std::vector<resting_delivery>()> resting, std::function<void()> feed
)
    : clock_{time}, interval_{interval}, resting_{std::move(resting)}, feed_{std::move(feed)},
      bell_{executor, time} {}

void heartbeat::add_loop(std::string name, boost::asio::any_io_executor loop) {
    loops_.push_back({std::move(name), std::move(loop), std::make_shared<std::atomic<bool>>(false)});
}

boost::asio::awaitable<void> heartbeat::run() {
    while (!ended_) {
        beat();
        co_await bell_.wait(clock_.now() + interval_);
    }
    const std::lock_guard lock{mutex_};
    last_beat_ = wakeup::never;
}

void heartbeat::watch_no_more() {
    watches_ = false;
    tell({});
}

void heartbeat::end() {
    ended_ = true;
    bell_.ring();
}

std::string heartbeat::ailment() const {
    const std::lock_guard lock{mutex_};
    if (!ailment_.empty()) return ailment_;
    const auto now = clock_.now();
    if (last_beat_ == wakeup::never || now < last_beat_ || now - last_beat_ < patience * interval_) return {};
    // The clock runs on while the process is stopped: who asks first afterwards may be ahead of the beat.
    if (overdue_since_ == wakeup::never) overdue_since_ = now;
    if (now - overdue_since_ < interval_) return {};
    return "the main thread stands still";
}

void heartbeat::beat() {
    auto found = watches_ ? look() : std::string{};
    const bool works = found.empty();
    tell(std::move(found));
    if (works) feed_();
}

std::string heartbeat::look() {
    auto loops = look_at_loops();
    auto deliveries = look_at_deliveries();
    return loops.empty() ? deliveries : loops;
}

// Asks each loop to do something as small as there is.
std::string heartbeat::look_at_loops() {
    std::string found;
    for (auto& one : loops_) {
        if (one.asked->exchange(true)) {
            if (++one.unanswered >= patience && found.empty()) found = one.name + " stands still";
            continue;
        }
        one.unanswered = 0;
        boost::asio::post(one.executor, [asked = one.asked] { *asked = false; });
    }
    return found;
}

std::string heartbeat::look_at_deliveries() {
    std::string found;
    std::vector<rest> still;
    for (auto& one : resting_()) {
        const auto before = std::ranges::find(rests_, one, &rest::what);
        const int beats = before == rests_.end() ? 1 : before->beats + 1;
        if (beats >= patience && found.empty())
            found = fmt::format(
                "the delivery to sink {} stands still at position {}, though its sink is not busy", one.sink,
                one.at
            );
        still.push_back({std::move(one), beats});
    }
    rests_ = std::move(still);
    return found;
}

void heartbeat::tell(std::string found) {
    std::string before;
    {
        const std::lock_guard lock{mutex_};
        last_beat_ = clock_.now();
        overdue_since_ = wakeup::never;
        before = std::exchange(ailment_, found);
    }
    // Not under the lock: a log that nobody reads must not hold up those who ask.
    if (found == before) return;
    if (found.empty())
        base::log().info("alive again; it was that {}", before);
    else
        base::log().error("not alive: {}", found);
}

} // namespace trackd::service
