// Monotonic time behind one door, so that tests can turn it by hand.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>

namespace trackd {

class wakeup;

/// Where components get their monotonic time from. Wall-clock time, which events carry, is another matter.
class clock {
public:
    using time_point = std::chrono::steady_clock::time_point;
    using duration = std::chrono::steady_clock::duration;

    virtual ~clock() = default;

    /// Any thread.
    [[nodiscard]] virtual time_point now() const noexcept = 0;

private:
    friend class wakeup;
    // A wakeup starts or ends waiting. Returns when its own timer shall expire: a clock that is turned by
    // hand says never, and wakes it itself.
    virtual time_point waits(wakeup& who, time_point until) = 0;
    virtual void waits_no_more(wakeup& who) noexcept = 0;
};

/// The machine's own steady clock.
[[nodiscard]] clock& system_clock() noexcept;

/// Something to wait on: a point in time, or somebody ringing, whichever comes first.
///
/// Confined to its executor, which does not run two things at once (a strand, or a context of one thread);
/// who waits goes on there. One coroutine at a time waits. A ring that comes when nobody waits is kept for
/// the next one who does, so none is ever missed.
class wakeup {
public:
    static constexpr clock::time_point never = clock::time_point::max();

    wakeup(const boost::asio::any_io_executor& executor, clock& time);
    ~wakeup();
    wakeup(const wakeup&) = delete;
    wakeup& operator=(const wakeup&) = delete;

    /// @return true if it was rung, false if `until` was reached
    [[nodiscard]] boost::asio::awaitable<bool> wait(clock::time_point until = never);

    /// Wakes the one who waits, or the next one who will.
    void ring();

    /// For a clock: the time that was waited for is reached.
    void expire();

private:
    clock& clock_;
    boost::asio::steady_timer timer_;
    bool rung_ = false;
    bool waiting_ = false;
};

} // namespace trackd
