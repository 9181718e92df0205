// By how much the clocks of clients are wrong: from the time at which each says that it sent a body.
#pragma once

#include <trackd/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace trackd::intake {

/// The shift of a body is its arrival, less the time at which its client says that it was sent. It is the error of the
/// client's clock and the time that the body was on its way. Clients that repeat a body keep its first time, so that the
/// way can be as long as an outage: only the smallest shift of a sender says something of its clock.
///
/// Any thread.
class client_clocks {
public:
    using duration = std::chrono::microseconds;

    /// A smaller shift is no error of a clock.
    static constexpr std::chrono::seconds least_error{60};
    /// A body that was sent so much later than it arrived comes from a clock that is ahead.
    static constexpr std::chrono::seconds tolerance{5};
    /// An outage before the start explains a shift up to this.
    static constexpr std::chrono::hours longest_outage{24};
    static constexpr std::chrono::hours window{12};
    static constexpr std::size_t max_senders = 4096;

    /// @param time outlives this
    explicit client_clocks(clock& time) : clock_{time}, started_{time.now()}, window_begin_{started_} {}

    client_clocks(const client_clocks&) = delete;
    client_clocks& operator=(const client_clocks&) = delete;

    /// Takes note of a body's shift.
    /// @param sender a hash of the key and the library
    /// @return what has to be added to the times in the body
    [[nodiscard]] duration correct(std::uint64_t sender, duration shift);

private:
    using shifts = std::unordered_map<std::uint64_t, duration>;

    [[nodiscard]] duration smallest(std::uint64_t sender, duration shift);

    clock& clock_;
    const clock::time_point started_;
    std::mutex mutex_; // guards what follows
    clock::time_point window_begin_;
    shifts current_;  // the smallest of each sender since the window began
    shifts previous_; // the same for the window before
};

} // namespace trackd::intake
