#include "service/stop_request.hpp"

#include <utility>

namespace trackd::service {

void stop_request::by_signal(std::string name) {
    const bool first = !std::exchange(signalled_, true);
    if (reason_.empty()) return begin(std::move(name));
    if (first || std::exchange(hurried_, true)) return;
    bell_.ring();
    on_hurry_();
}

void stop_request::by_failure(std::string part) {
    part_failed_ = true;
    if (reason_.empty()) begin(std::move(part));
}

void stop_request::begin(std::string reason) {
    reason_ = std::move(reason);
    since_ = system_clock().now();
    bell_.ring();
}

boost::asio::awaitable<void> stop_request::wait() {
    while (reason_.empty())
        co_await bell_.wait();
}

boost::asio::awaitable<void> stop_request::sleep_until(clock::time_point end) {
    while (!hurried_ && system_clock().now() < end)
        co_await bell_.wait(end);
}

} // namespace trackd::service
