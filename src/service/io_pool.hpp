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
#include <thread>
#include <vector>

namespace trackd::service {

/// Built without threads; `start` brings them up, `stop` waits for their end.
class io_pool {
public:
    /// @param routes makes the routes of the thread whose context is given
    io_pool(
        std::size_t threads, const http::options& limits,
        const std::function<http::router(boost::asio::io_context&)>& routes
    );

    ~io_pool() { stop(); }

    io_pool(const io_pool&) = delete;
    io_pool& operator=(const io_pool&) = delete;

    void start();

    /// Lets each thread run out of work, and waits for it. Its worker must have been joined.
    void stop();

    [[nodiscard]] std::vector<http::worker*> workers() const;

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
