// Standard error as the log writes to it. Whoever reads it may stop reading: a pipe is full then, and a write waits for ever.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <mutex>

namespace trackd::base {

/// What becomes of a line that standard error does not take.
enum class unread { waits, is_dropped };

/// One line a message, whole. Any thread.
class standard_error final : public spdlog::sinks::base_sink<std::mutex> {
public:
    /// @param line `is_dropped`: nobody who logs waits longer than 100 ms, and that only once; the next line that is taken
    /// comes after one that counts those that were dropped
    explicit standard_error(unread line) noexcept : unread_{line} {}

private:
    void sink_it_(const spdlog::details::log_msg& message) override;

    void flush_() override {}

    [[nodiscard]] bool takes_line() const noexcept;
    void write(const spdlog::details::log_msg& message);

    const unread unread_;
    std::uint64_t dropped_ = 0; // since the last line that was taken
};

} // namespace trackd::base
