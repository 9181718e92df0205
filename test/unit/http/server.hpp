// A whole HTTP server in the test's process: listener and worker, on one thread of their own, on a free port.
#pragma once

#include "client.hpp"
#include "http/listener.hpp"
#include "http/worker.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <thread>

namespace trackd::test {

/// Something a handler waits for until the test opens it. On the server's thread, but for `open`.
class gate {
public:
    explicit gate(http::executor_type executor)
        : opened_(executor, std::chrono::steady_clock::time_point::max()) {}

    http::task<void> passed();
    void open();

    /// Blocks until a handler waits. Not on the server's thread.
    void await_arrival();

private:
    boost::asio::basic_waitable_timer<
        std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, http::executor_type>
        opened_;
    bool open_ = false;
    std::promise<void> arrived_;
};

/// Its routes: `POST /events` 201 (400 if it is empty) with the body's size, `GET /healthz` 200, `GET /large`
/// half a MiB, `POST /echo` the body, `GET /throw` and `GET /throw-later` throw, `GET /gate` waits at
/// `at_gate`.
class server {
public:
    /// @param change what is different about its routes
    /// @param max_per_address connections, or requests behind the proxies of `limits`
    explicit server(
        const http::options& limits = {}, std::size_t max_connections = 1000,
        const std::function<void(http::router&)>& change = {}, std::size_t max_per_address = 0
    );
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    [[nodiscard]] client connect() const { return client(listener_.local_endpoint()); }

    [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return listener_.local_endpoint(); }

    [[nodiscard]] const http::counters& figures() const { return worker_.figures(); }

    [[nodiscard]] http::connection_limit& limit() { return limit_; }

    /// For use within `call`.
    [[nodiscard]] http::worker& worker() { return worker_; }

    /// Runs this on the server's thread, and waits for it.
    template <class Function>
    auto call(Function function) {
        return boost::asio::post(context_, boost::asio::use_future(std::move(function))).get();
    }

    /// The only connection's state; empty if there is none.
    [[nodiscard]] std::string state();

    /// Waits until the only connection is in this state.
    void await_state(std::string_view wanted);

    void announce_close();
    void begin_close(std::chrono::milliseconds idle, std::chrono::milliseconds request);
    void hurry();
    [[nodiscard]] bool join(std::chrono::milliseconds patience);

    /// Stops accepting; returns when what was queued is handed over.
    void close_listener();

private:
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<http::executor_type> guard_{context_.get_executor()};

public:
    gate at_gate{context_.get_executor()};

private:
    http::connection_limit limit_;
    http::worker worker_;
    http::listener listener_;
    std::future<void> accepting_;
    std::thread thread_;
};

} // namespace trackd::test
