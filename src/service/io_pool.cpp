#include "service/io_pool.hpp"

#include "base/log.hpp"
#include "base/task_group.hpp"

#include <csignal>

namespace trackd::service {

namespace {

// Signals are the main thread's business: threads that are made meanwhile begin with all of them blocked.
class all_signals_blocked {
public:
    all_signals_blocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }

    ~all_signals_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

    all_signals_blocked(const all_signals_blocked&) = delete;
    all_signals_blocked& operator=(const all_signals_blocked&) = delete;

private:
    sigset_t before_{};
};

} // namespace

io_pool::io_pool(
    std::size_t threads, const http::options& limits,
    const std::function<http::router(boost::asio::io_context&)>& routes
) {
    for (std::size_t i = 0; i < threads; ++i) {
        auto& made = *threads_.emplace_back(std::make_unique<io_thread>());
        made.worker = std::make_unique<http::worker>(made.loop, limits, routes(made.loop));
    }
}

void io_pool::start() {
    const all_signals_blocked during_start;
    for (auto& one : threads_)
        one->thread = std::thread{[&loop = one->loop] { run(loop); }};
}

void io_pool::stop() {
    for (auto& one : threads_)
        one->work.reset();
    for (auto& one : threads_)
        if (one->thread.joinable()) one->thread.join();
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
