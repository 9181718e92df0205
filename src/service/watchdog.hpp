// The last resort of a shutdown: a blocking library call cannot be cancelled, but the process can be ended.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace trackd::service {

/// Ends the process with status 1 if it is armed when its time has come. Has a thread of its own from the start, because
/// when it is needed there may be none to be had. Its destructor disarms it. Called by its owner's thread.
class watchdog {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// @param last_words called on the watchdog's thread just before the end
    explicit watchdog(std::function<void()> last_words);
    ~watchdog();
    watchdog(const watchdog&) = delete;
    watchdog& operator=(const watchdog&) = delete;

    /// Sets the time, or another one.
    void arm(time_point end);

    void disarm();

private:
    void watch();

    std::function<void()> last_words_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<time_point> end_; // none: disarmed
    bool over_ = false;
    std::thread thread_;
};

} // namespace trackd::service
