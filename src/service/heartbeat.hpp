// Liveness by progress: whether every loop still turns and every delivery still moves, as /healthz says it and a
// service manager's watchdog is told.
#pragma once

#include <trackd/clock.hpp>
#include <trackd/tracker.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace trackd::service {

/// Looks once a beat, and counts beats rather than time: a process that was stopped for an hour comes back to life one
/// beat older. Confined to its executor, which is one of the loops that are watched: if that one stands still, nothing
/// is fed, and `ailment` tells by the clock, once it has seen so at two questions a beat apart.
class heartbeat {
public:
    /// After so many beats without progress something ails.
    static constexpr int patience = 10;

    /// @param interval between two beats
    /// @param resting  the deliveries that rest on work (tracker::resting_on_work)
    /// @param feed     called with each beat at which nothing ails
    heartbeat(
        const boost::asio::any_io_executor& executor, clock& time, clock::duration interval,
        std::function<std::vector<resting_delivery>()> resting, std::function<void()> feed
    );

    /// Watches this loop, too; it may end once `watch_no_more` was called. Before `run`.
    /// @param name for people: `I/O thread 1`
    void add_loop(std::string name, boost::asio::any_io_executor loop);

    /// Beats until `end`.
    [[nodiscard]] boost::asio::awaitable<void> run();

    /// A shutdown begins, which has deadlines of its own: from here on nothing ails, and the feeding goes on.
    void watch_no_more();

    void end();

    /// What stands still; empty: nothing. Any thread.
    [[nodiscard]] std::string ailment() const;

private:
    struct watched_loop {
        std::string name;
        boost::asio::any_io_executor executor;
        std::shared_ptr<std::atomic<bool>> asked; // outlives this object in the question
        int unanswered = 0;                       // beats
    };

    struct rest {
        resting_delivery what;
        int beats = 1;
    };

    void beat();
    [[nodiscard]] std::string look();
    [[nodiscard]] std::string look_at_loops();
    [[nodiscard]] std::string look_at_deliveries();
    void tell(std::string found);

    clock& clock_;
    const clock::duration interval_;
    const std::function<std::vector<resting_delivery>()> resting_;
    const std::function<void()> feed_;
    wakeup bell_;
    std::vector<watched_loop> loops_;
    std::vector<rest> rests_;
    bool watches_ = true;
    bool ended_ = false;

    mutable std::mutex mutex_; // guards:
    std::string ailment_;
    clock::time_point last_beat_ = wakeup::never; // never: it does not beat
    mutable clock::time_point overdue_since_ =
        wakeup::never; // the first question that found the next beat overdue
};

} // namespace trackd::service
