// Why and how urgently the daemon shall stop: what signals and failed parts say, and the one who leads the
// shutdown hears.
#pragma once

#include <trackd/clock.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>

namespace trackd::service {

/// Confined to its executor.
class stop_request {
public:
    /// @param on_hurry called once, at the second signal
    stop_request(const boost::asio::any_io_executor& executor, std::function<void()> on_hurry)
        : bell_{executor, system_clock()}, on_hurry_{std::move(on_hurry)} {}

    /// A signal: the first one begins the shutdown, unless a failure has; the second one ends its patience.
    void by_signal(std::string name);

    /// A part of the daemon died. Begins the shutdown where nothing else has.
    void by_failure(std::string part);

    /// Returns when the daemon shall stop.
    [[nodiscard]] boost::asio::awaitable<void> wait();

    /// Sleeps until the given time, or until somebody is in a hurry.
    [[nodiscard]] boost::asio::awaitable<void> sleep_until(clock::time_point end);

    [[nodiscard]] bool hurried() const noexcept { return hurried_; }

    [[nodiscard]] bool part_failed() const noexcept { return part_failed_; }

    /// Why, and since when. Once set they stay as they are.
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

    [[nodiscard]] clock::time_point since() const noexcept { return since_; }

private:
    void begin(std::string reason);

    wakeup bell_;
    std::function<void()> on_hurry_;
    std::string reason_; // empty: nobody wants to stop
    clock::time_point since_;
    bool signalled_ = false;
    bool hurried_ = false;
    bool part_failed_ = false;
};

} // namespace trackd::service
