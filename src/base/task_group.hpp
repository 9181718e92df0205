// The one way to start a coroutine that nobody awaits on the spot: its group counts it, can name it, and
// waits for it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cassert>
#include <chrono>
#include <exception>
#include <functional>
#include <list>
#include <string>
#include <utility>
#include <vector>

namespace trackd::base {

/// A coroutine that is still running, for those who want to know what a shutdown waits for.
struct running_task {
    std::string name;
    std::chrono::steady_clock::duration age{};
};

/// Logs that a coroutine ended by an exception: for groups whose owner has no better answer.
void log_failed_task(const std::string& name, std::exception_ptr why) noexcept;

/// Owns the coroutines spawned on it.
///
/// Lives as long as its owner, as its last member: what the coroutines refer to must still stand when they
/// end. Confined to its executor, as are all its coroutines. It cancels nothing: how its coroutines come to
/// an end is for the owner to say; the owner then awaits `join`. The destructor asserts that none is left.
template <class Executor>
class task_group {
public:
    using failure_handler = std::function<void(const std::string& name, std::exception_ptr)>;

    /// @param on_failure told of each coroutine that ended by an exception; runs on the executor, must not
    /// throw
    task_group(Executor executor, failure_handler on_failure)
        : executor_{std::move(executor)}, on_failure_{std::move(on_failure)},
          emptied_{executor_, std::chrono::steady_clock::time_point::max()} {}

    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    ~task_group() { assert(children_.empty()); }

    void spawn(std::string name, boost::asio::awaitable<void, Executor> work) {
        const auto child =
            children_.insert(children_.end(), {std::move(name), std::chrono::steady_clock::now()});
        auto ended = [this, child](std::exception_ptr failure) {
            const auto ended_name = std::move(child->name);
            children_.erase(child);
            if (children_.empty()) emptied_.cancel();
            if (failure) on_failure_(ended_name, std::move(failure));
        };
        boost::asio::co_spawn(
            executor_, std::move(work), boost::asio::bind_executor(executor_, std::move(ended))
        );
    }

    /// Returns when no coroutine is left. Several may join.
    [[nodiscard]] boost::asio::awaitable<void, Executor> join() {
        while (!children_.empty()) {
            boost::system::error_code ignored;
            co_await emptied_.async_wait(
                boost::asio::redirect_error(boost::asio::use_awaitable_t<Executor>{}, ignored)
            );
        }
    }

    [[nodiscard]] std::size_t size() const noexcept { return children_.size(); }

    [[nodiscard]] std::vector<running_task> running() const {
        const auto now = std::chrono::steady_clock::now();
        std::vector<running_task> tasks;
        for (const auto& child : children_)
            tasks.push_back({child.name, now - child.since});
        return tasks;
    }

private:
    struct child_task {
        std::string name;
        std::chrono::steady_clock::time_point since;
    };

    using timer_type = boost::asio::basic_waitable_timer<
        std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

    Executor executor_;
    failure_handler on_failure_;
    timer_type emptied_;
    std::list<child_task> children_;
};

} // namespace trackd::base
