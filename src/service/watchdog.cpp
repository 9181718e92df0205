#include "service/watchdog.hpp"

#include <cstdlib>
#include <utility>

namespace trackd::service {

watchdog::watchdog(std::function<void()> last_words)
    : last_words_{std::move(last_words)}, thread_{[this] { watch(); }} {}

watchdog::~watchdog() {
    {
        const std::lock_guard lock{mutex_};
        over_ = true;
        changed_.notify_one();
    }
    thread_.join();
}

void watchdog::arm(time_point end) {
    const std::lock_guard lock{mutex_};
    end_ = end;
    changed_.notify_one();
}

void watchdog::disarm() {
    const std::lock_guard lock{mutex_};
    end_.reset();
}

void watchdog::watch() {
    std::unique_lock lock{mutex_};
    while (!over_) {
        if (!end_) {
            changed_.wait(lock);
        } else if (*end_ > std::chrono::steady_clock::now()) {
            const auto end = *end_;
            changed_.wait_until(lock, end);
        } else {
            last_words_();
            std::_Exit(1
            ); // the same as _exit, which a sanitizer replaces by one that flushes, and so may hang
        }
    }
}

} // namespace trackd::service
