// The I/O threads: each runs an io_context that nobody else runs, and the connections that live on it.
#pragma once

#include "http/options.hpp"
#include "http/router.hpp"
#include "http/worker.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace trackd::service {

/// Built without threads and workers; `add_workers` makes these, `start` brings those up, `stop` waits for their end.
class io_pool {
public:
    explicit io_pool(std::size_t threads);

    ~io_pool() { stop(); }

    io_pool(const io_pool&) = delete;
    io_pool& operator=(const io_pool&) = delete;

    /// @param routes makes the routes of the thread whose context is given
    void add_workers(
        const http::options& limits, const std::function<http::router(boost::asio::io_context&)>& routes
    );

    void start();

    /// Lets each thread run out of work, and waits for it. Its worker must have been joined.
    void stop();

    [[nodiscard]] std::vector<http::worker*> workers() const;

    /// What the thread of this worker is called, in `top -H` too.
    [[nodiscard]] static std::string name_of(std::size_t index);

    /// Where something may run beside the connections of one thread.
    [[nodiscard]] boost::asio::io_context::executor_type first_executor() const;

private:
    using context = boost::asio::io_context;

    struct io_thread {
        context loop{1};
        std::optional<boost::asio::executor_work_guard<context::executor_type>> work{loop.get_executor()};
        std::unique_ptr<http::worker> worker;
        std::thread thread;
    };

    static void run(context& loop);

    std::vector<std::unique_ptr<io_thread>> threads_;
};

} // namespace trackd::service
