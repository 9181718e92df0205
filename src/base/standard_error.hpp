// Standard error as the log writes to it. Its reader may stop reading: the pipe is full then, and a write blocks.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <mutex>

namespace trackd::base {

/// What becomes of a line that standard error does not take.
enum class unread { waits, is_dropped };

/// Whether standard error takes a line now, or within that time. A signal does not end the wait.
/// @param timeout_ms negative: without end
[[nodiscard]] bool takes_line(int timeout_ms) noexcept;

/// One line a message, whole. Any thread.
class standard_error final : public spdlog::sinks::base_sink<std::mutex> {
public:
    /// @param line `is_dropped`: the first line that standard error does not take waits for 100 ms, those behind it do not wait.
    /// The next line that it takes comes after one with the number of dropped lines
    explicit standard_error(unread line) noexcept : unread_{line} {}

private:
    void sink_it_(const spdlog::details::log_msg& message) override;

    void flush_() override {}

    const unread unread_;
    std::uint64_t dropped_ = 0; // since the last line that was taken
};

} // namespace trackd::base
