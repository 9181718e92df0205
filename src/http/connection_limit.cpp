// Slots for connections: taken by one thread, given back by many.
#include "http/connection_limit.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

namespace trackd::http {

namespace asio = boost::asio;

connection_slot::~connection_slot() {
    if (from_ != nullptr) from_->give_back(peer_);
}

connection_limit::connection_limit(executor_type executor, std::size_t max, std::size_t max_per_address)
    : max_(max), max_per_address_(max_per_address),
      freed_(executor, std::chrono::steady_clock::time_point::max()) {}

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

bool connection_limit::assign(connection_slot& slot, peer_address to) {
    const std::lock_guard lock(mutex_);
    auto& count = by_address_[to];
    if (count >= max_per_address_) {
        turned_away_.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    ++count;
    slot.peer_ = to;
    return true;
}

task<void> connection_limit::wait() {
    wanted_ = true; // before the look: whoever gives back after it sees this, and wakes us
    if (in_use_ < max_) co_return;
    waits_.add();
    boost::system::error_code cancelled;
    co_await freed_.async_wait(asio::redirect_error(use_task, cancelled));
}

void connection_limit::wake() {
    freed_.cancel();
}

void connection_limit::give_back(std::optional<peer_address> peer) noexcept {
    if (peer) {
        const std::lock_guard lock(mutex_);
        const auto found = by_address_.find(*peer);
        if (--found->second == 0) by_address_.erase(found);
    }
    --in_use_;
    if (wanted_.exchange(false)) asio::post(freed_.get_executor(), [this] { wake(); });
}

} // namespace trackd::http
