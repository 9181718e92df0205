#include "tracker/io_lane.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace trackd {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// The counter has one writer: no need for an atomic read-modify-write.
void add(std::atomic<std::uint64_t>& counter, std::uint64_t n, std::memory_order order) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + n, order);
}

} // namespace

io_lane::io_lane(
    asio::io_context& context, budget& credit, bool waits_for_ack, std::function<void(submission)> submit
)
    : executor_{context.get_executor()}, credit_{credit}, waits_for_ack_{waits_for_ack},
      submit_{std::move(submit)} {}

error_code io_lane::admit(batch::mark since) {
    const auto events = staged_.events() - since.events;
    if (const auto refused = credit_.take(events, staged_.bytes() - since.bytes)) {
        staged_.truncate(since);
        add(refused_, events, std::memory_order_relaxed);
        return refused;
    }
    add(accepted_, events, std::memory_order_release);
    if (!flush_posted_) {
        asio::post(executor_, [this] { flush(); });
        flush_posted_ = true;
    }
    return {};
}

void io_lane::flush() {
    flush_posted_ = false;
    if (staged_.empty()) return;
    submission handed_over{std::exchange(staged_, {}), {}};
    if (waits_for_ack_) {
        flights_.push_back(std::exchange(boarding_, {}));
        handed_over.settled = [this](error_code outcome) {
            asio::post(executor_, [this, outcome] { settle(outcome); });
        };
    }
    submit_(std::move(handed_over));
}

void io_lane::settle(error_code outcome) {
    last_outcome_ = outcome;
    auto landed = std::move(flights_.front());
    flights_.pop_front();
    for (auto& handler : landed)
        std::move(handler)(outcome);
}

template <class Token>
auto io_lane::async_acknowledged(flight& with, Token&& token) {
    return asio::async_initiate<Token, void(error_code)>(
        [&with](auto handler) { with.emplace_back(std::move(handler)); }, token
    );
}

asio::awaitable<error_code, io_lane::executor_type> io_lane::acknowledged() {
    // What was admitted last is not handed over yet, or is on its way, or has arrived.
    const bool on_its_way = !flush_posted_;
    if (on_its_way && flights_.empty()) co_return last_outcome_;
    error_code outcome;
    auto& mine = on_its_way ? flights_.back() : boarding_;
    co_await async_acknowledged(mine, asio::redirect_error(asio::use_awaitable_t<executor_type>{}, outcome));
    co_return outcome;
}

} // namespace trackd
