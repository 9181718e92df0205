// What an operator has asked of one delivery: a pause, or the end of the present retry delay.
#pragma once

#include <trackd/clock.hpp>

#include <atomic>

namespace trackd {

/// Confined to the delivery's strand, except `paused_since`.
class delivery_control {
public:
    /// Says for as long as it lives that the delivery waits before its next attempt.
    class delay {
    public:
        explicit delay(delivery_control& of) noexcept : of_{of} {
            of_.delayed_ = true;
            of_.expedited_ = false;
        }

        ~delay() { of_.delayed_ = false; }

        delay(const delay&) = delete;
        delay& operator=(const delay&) = delete;

        /// Whether the operator has ended it.
        [[nodiscard]] bool ended() const noexcept { return of_.expedited_ || of_.paused(); }

    private:
        delivery_control& of_;
    };

    void pause(clock::time_point now) noexcept { paused_since_.store(now, std::memory_order_relaxed); }

    void resume() noexcept { paused_since_.store(wakeup::never, std::memory_order_relaxed); }

    [[nodiscard]] bool paused() const noexcept { return paused_since() != wakeup::never; }

    /// `wakeup::never`: it is not paused. Any thread.
    [[nodiscard]] clock::time_point paused_since() const noexcept {
        return paused_since_.load(std::memory_order_relaxed);
    }

    /// Ends the delay that is under way.
    /// @return whether there was one
    bool expedite() noexcept {
        expedited_ = true;
        return delayed_;
    }

private:
    std::atomic<clock::time_point> paused_since_{wakeup::never};
    bool delayed_ = false;
    bool expedited_ = false;
};

} // namespace trackd
