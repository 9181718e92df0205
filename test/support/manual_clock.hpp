// A clock that stands still until a test turns it.
#pragma once

#include <trackd/clock.hpp>

#include <algorithm>
#include <vector>

namespace trackd::test {

/// Confined to one thread. After `advance` the io_context must be polled for those who were woken to go on.
class manual_clock final : public clock {
public:
    [[nodiscard]] time_point now() const noexcept override { return now_; }

    void advance(duration by) {
        now_ += by;
        const auto due = waiting_; // who is woken may wait again
        for (const auto& [who, until] : due)
            if (until <= now_) who->expire();
    }

    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

    /// How long until the first of those who wait is due; `duration::max()` where none ever is.
    [[nodiscard]] duration next() const noexcept {
        auto least = wakeup::never;
        for (const auto& one : waiting_)
            least = std::min(least, one.until);
        return least == wakeup::never ? duration::max() : least - now_;
    }

private:
    struct waiter {
        wakeup* who;
        time_point until;
    };

    time_point waits(wakeup& who, time_point until) override {
        waiting_.push_back({&who, until});
        return wakeup::never;
    }

    void waits_no_more(wakeup& who) noexcept override {
        std::erase_if(waiting_, [&who](const waiter& one) { return one.who == &who; });
    }

    time_point now_{std::chrono::hours{1}};
    std::vector<waiter> waiting_;
};

} // namespace trackd::test
