#include <trackd/clock.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cassert>
#include <utility>

namespace trackd {

namespace asio = boost::asio;

namespace {

class machine_clock final : public clock {
public:
    [[nodiscard]] time_point now() const noexcept override { return std::chrono::steady_clock::now(); }

private:
    time_point waits(wakeup&, time_point until) override { return until; }

    void waits_no_more(wakeup&) noexcept override {}
};

} // namespace

clock& system_clock() noexcept {
    static machine_clock machine; // has no state
    return machine;
}

wakeup::wakeup(const asio::any_io_executor& executor, clock& time) : clock_{time}, timer_{executor} {}

wakeup::~wakeup() {
    if (waiting_) clock_.waits_no_more(*this);
}

asio::awaitable<bool> wakeup::wait(clock::time_point until) {
    assert(!waiting_);
    if (!rung_ && until > clock_.now()) {
        timer_.expires_at(clock_.waits(*this, until));
        waiting_ = true;
        boost::system::error_code ignored;
        co_await timer_.async_wait(
            asio::bind_executor(timer_.get_executor(), asio::redirect_error(asio::use_awaitable, ignored))
        );
        waiting_ = false;
        clock_.waits_no_more(*this);
    }
    co_return std::exchange(rung_, false);
}

void wakeup::ring() {
    rung_ = true;
    timer_.cancel();
}

void wakeup::expire() {
    timer_.cancel();
}

} // namespace trackd
