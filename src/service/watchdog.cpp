#include "service/watchdog.hpp"

#include <unistd.h>

namespace trackd::service {

void watchdog::arm(time_point end) {
    const std::lock_guard lock{mutex_};
    end_ = end;
    if (!thread_.joinable()) thread_ = std::thread{[this] { watch(); }};
    changed_.notify_one();
}

void watchdog::disarm() {
    {
        const std::lock_guard lock{mutex_};
        end_.reset();
        changed_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
}

void watchdog::watch() {
    std::unique_lock lock{mutex_};
    while (end_) {
        const auto end = *end_;
        changed_.wait_until(lock, end);
        if (!end_ || *end_ > std::chrono::steady_clock::now()) continue;
        last_words_();
        ::_exit(1);
    }
}

} // namespace trackd::service
