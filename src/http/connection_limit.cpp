// Slots for connections: taken by one thread, given back by many.
#include "http/connection_limit.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

namespace trackd::http {

namespace asio = boost::asio;

connection_slot::~connection_slot() {
    if (from_ != nullptr) from_->give_back();
}

connection_limit::connection_limit(executor_type executor, std::size_t max)
    : max_(max), freed_(executor, std::chrono::steady_clock::time_point::max()) {}

connection_slot connection_limit::try_take() noexcept {
    auto taken = in_use_.load();
    while (taken < max_) {
        if (in_use_.compare_exchange_weak(taken, taken + 1)) return connection_slot(*this);
    }
    return {};
}

connection_slot connection_limit::take() noexcept {
    ++in_use_;
    return connection_slot(*this);
}

task<void> connection_limit::wait() {
    wanted_ = true; // before the look: whoever gives back after it sees this, and wakes us
    if (in_use_ < max_) co_return;
    boost::system::error_code cancelled;
    co_await freed_.async_wait(asio::redirect_error(use_task, cancelled));
}

void connection_limit::wake() {
    freed_.cancel();
}

void connection_limit::give_back() noexcept {
    --in_use_;
    if (wanted_.exchange(false)) asio::post(freed_.get_executor(), [this] { wake(); });
}

} // namespace trackd::http
