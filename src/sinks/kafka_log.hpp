// What librdkafka has to say, in our log: not more than a bounded number of lines, whatever happens to its brokers.
#pragma once

#include <spdlog/logger.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace trackd::sinks {

/// Any thread: librdkafka speaks on its own ones.
class kafka_log {
public:
    using time_point = std::chrono::steady_clock::time_point;

    static constexpr std::size_t lines_a_window = 20;
    static constexpr std::chrono::seconds window{10};

    /// @param to outlives this
    explicit kafka_log(spdlog::logger& to, std::function<time_point()> now = std::chrono::steady_clock::now);

    /// Writes the line, unless there were too many lately. How many were left out is said with the next one. Those for
    /// debugging are not counted.
    /// @param level as syslog has them: 0 to 7, where 3 is an error
    void line(int level, std::string_view text);

    /// The last error, in quotes; empty if there was none since it was forgotten.
    [[nodiscard]] std::string last_error() const;

    void forget_error();

private:
    /// @param left_out set to how many were left out before
    /// @return whether this one is to be written
    bool admit(std::size_t& left_out);

    spdlog::logger& to_;
    const std::function<time_point()> now_;
    mutable std::mutex mutex_;
    time_point began_{};
    std::size_t lines_ = 0;
    std::size_t left_out_ = 0;
    std::string last_error_;
};

} // namespace trackd::sinks
