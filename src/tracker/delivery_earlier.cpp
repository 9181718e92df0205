// Tells a sink what was delivered to it before, and takes what it says of its destination.
#include "base/log.hpp"
#include "tracker/delivery.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>
#include <vector>

namespace trackd {

namespace asio = boost::asio;

namespace {

constexpr std::uint64_t most_last_events = 200;
constexpr std::size_t most_last_bytes = std::size_t{1} << 20U;

} // namespace

asio::awaitable<void> delivery::describe_earlier_deliveries() {
    if (cursor_.delivered() == 0) co_return;
    const auto place = cursor_;
    const auto last = co_await read_delivered(place);
    std::vector<event_view> wanted;
    for (const auto& event : last.events)
        if (spec_.wanted.wants(event)) wanted.push_back(event);
    co_await asio::post(asio::bind_executor(thread_.get_executor(), asio::use_awaitable));
    set_earlier_here({place.delivered(), place.not_delivered(), place.at, wanted});
    auto warning = warning_here();
    co_await asio::post(asio::bind_executor(strand_, asio::use_awaitable));
    take_warning(std::move(warning));
}

// The last events before the place. Where they cannot be read, the sink is not told of them.
asio::awaitable<chunk> delivery::read_delivered(const cursor& place) {
    chunk events;
    const auto most = std::min<std::uint64_t>(most_last_events, place.at - place.start);
    const auto first = std::max(place.at - most, backlog_.begin());
    if (first >= place.at) co_return events;
    try {
        events = co_await backlog_.read(first, {static_cast<std::size_t>(place.at - first), most_last_bytes});
    } catch (const std::system_error&) { // a delivery that has to read there reports it
    }
    co_return events;
}

// On the sink's thread.
void delivery::set_earlier_here(const earlier_deliveries& before) noexcept {
    try {
        spec_.sink->set_earlier_deliveries(before);
    } catch (const std::exception& failure) {
        base::log().warn("sink {}: cannot compare its destination: {}", spec_.name, failure.what());
    } catch (...) { // no event depends on it
        base::log().warn("sink {}: cannot compare its destination", spec_.name);
    }
}

// On the sink's thread.
std::string delivery::warning_here() const noexcept {
    try {
        return spec_.sink->warning();
    } catch (...) { // no event depends on it
        return {};
    }
}

void delivery::take_warning(std::string warning) {
    if (!warning.empty() && warning != books_.warning) base::log().warn("sink {}: {}", spec_.name, warning);
    books_.warning = std::move(warning);
}

} // namespace trackd
