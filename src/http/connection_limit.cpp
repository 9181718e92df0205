// Slots for connections: taken by one thread, given back by many.
#include "http/connection_limit.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <utility>

namespace trackd::http {

namespace asio = boost::asio;

address_share::~address_share() {
    if (in_ != nullptr) in_->give_back_share(of_);
}

connection_slot::~connection_slot() {
    share_ = {}; // first: the connection that waits for the slot may be one of the same address
    if (from_ != nullptr) from_->give_back();
}

connection_limit::connection_limit(
    executor_type executor, std::size_t max, std::size_t max_per_address, trusted_proxies uncounted
)
    : max_(max), max_per_address_(max_per_address), uncounted_(std::move(uncounted)),
      freed_(executor, std::chrono::steady_clock::time_point::max()) {}

void connection_limit::set_bounds(std::size_t max, std::size_t max_per_address) {
    max_ = max;
    max_per_address_ = max_per_address;
    wake(); // there may be room now
}

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

std::optional<address_share> connection_limit::share_of(const client_address& address) {
    if (!counts_addresses() || uncounted_.trusts(address)) return address_share{};
    const auto peer = peer_at(address);
    const std::lock_guard lock(mutex_);
    auto& count = by_address_[peer];
    if (count >= max_per_address_) {
        turned_away_.fetch_add(1, std::memory_order_relaxed);
        return std::nullopt;
    }
    ++count;
    return address_share{*this, peer};
}

bool connection_limit::assign(connection_slot& slot, const client_address& to) {
    auto share = share_of(to);
    if (!share) return false;
    slot.share_ = std::move(*share);
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

void connection_limit::give_back_share(peer_address of) noexcept {
    const std::lock_guard lock(mutex_);
    const auto found = by_address_.find(of);
    if (--found->second == 0) by_address_.erase(found);
}

void connection_limit::give_back() noexcept {
    --in_use_;
    if (wanted_.exchange(false)) asio::post(freed_.get_executor(), [this] { wake(); });
}

} // namespace trackd::http
