#include "tracker/route_scan.hpp"

#include "base/log.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <string>
#include <utility>

namespace trackd {

namespace asio = boost::asio;

namespace {

// Small enough that a delivery that reads, too, waits for little.
constexpr read_limits chunk_limits{4096, std::size_t{1} << 20U};

constexpr std::chrono::seconds retry_after{1};

} // namespace

route_scan::route_scan(
    tracker_strand strand, clock& time, backlog& store,
    const std::vector<std::unique_ptr<delivery>>& deliveries
)
    : strand_{std::move(strand)}, clock_{time}, backlog_{store}, deliveries_{deliveries},
      changed_{strand_, time} {}

bool route_scan::is_needed() const noexcept {
    return !running_ && !ended_ && next();
}

asio::awaitable<void> route_scan::run() {
    running_ = true;
    for (auto from = next(); from && !ended_; from = next()) {
        co_await read_chunk(*from);
        co_await asio::post(asio::bind_executor(strand_, asio::use_awaitable)); // let others in
    }
    running_ = false;
}

void route_scan::wake() {
    if (running_) changed_.ring();
}

void route_scan::end() {
    ended_ = true;
    wake();
}

// The oldest event that is unknown to some sink. A sink that waits to skip goes first: the intake may need the room.
std::optional<position> route_scan::next() const noexcept {
    std::optional<position> least;
    bool urgent = false;
    for (const auto& each : deliveries_) {
        const auto* index = each->index();
        const auto from = index == nullptr ? std::nullopt : index->next_unknown();
        if (!from || (urgent && !each->waits_to_skip())) continue;
        if (!least || *from < *least || (each->waits_to_skip() && !urgent)) least = from;
        urgent = each->waits_to_skip();
    }
    return least;
}

asio::awaitable<void> route_scan::read_chunk(position from) {
    chunk events;
    std::string error;
    try {
        events = co_await backlog_.read(from, chunk_limits);
    } catch (const std::exception& failure) {
        error = failure.what();
    }
    if (ended_) co_return;
    if (!error.empty()) {
        if (!std::exchange(failing_, true))
            base::log().warn(
                "the backlog cannot be read to count what routes want, which is tried again: {}", error
            );
        for (const auto& each : deliveries_)
            each->skip_uncounted();
        const auto until = clock_.now() + retry_after;
        while (!ended_ && clock_.now() < until)
            co_await changed_.wait(until);
    } else if (events.end() == from) { // not stored yet
        co_await changed_.wait();
    } else {
        failing_ = false;
        for (const auto& each : deliveries_)
            each->learn(events);
    }
}

} // namespace trackd
