#include "service/io_pool.hpp"

#include "base/log.hpp"
#include "base/signals_blocked.hpp"
#include "base/task_group.hpp"

#include <pthread.h>

namespace trackd::service {

io_pool::io_pool(std::size_t threads) {
    for (std::size_t i = 0; i < threads; ++i)
        threads_.push_back(std::make_unique<io_thread>());
}

void io_pool::add_workers(
    const http::options& limits, const std::function<http::router(boost::asio::io_context&)>& routes
) {
    for (auto& one : threads_)
        one->worker = std::make_unique<http::worker>(one->loop, limits, routes(one->loop));
}

void io_pool::start() {
    const base::all_signals_blocked during_start;
    for (std::size_t i = 0; i < threads_.size(); ++i) {
        auto& one = *threads_[i];
        one.thread = std::thread{[&loop = one.loop] { run(loop); }};
        ::pthread_setname_np(one.thread.native_handle(), name_of(i).c_str());
    }
}

void io_pool::stop() {
    for (auto& one : threads_)
        one->work.reset();
    for (auto& one : threads_)
        if (one->thread.joinable()) one->thread.join();
}

std::string io_pool::name_of(std::size_t index) {
    return "io-" + std::to_string(index + 1);
}

boost::asio::io_context::executor_type io_pool::first_executor() const {
    return threads_.front()->loop.get_executor();
}

std::vector<http::worker*> io_pool::workers() const {
    std::vector<http::worker*> workers;
    for (const auto& one : threads_)
        workers.push_back(one->worker.get());
    return workers;
}

void io_pool::run(context& loop) {
    for (;;) {
        try {
            loop.run();
            return;
        } catch (...) { // a handler of ours let it escape: a bug, but no reason to drop the other connections
            base::log_failed_task("a handler on an I/O thread", std::current_exception());
        }
    }
}

} // namespace trackd::service
