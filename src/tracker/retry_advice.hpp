// When a client that found no room is asked to try again.
#pragma once

#include "tracker/room_forecast.hpp"

#include <trackd/clock.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>

namespace trackd {

/// Where nothing is known: 5 s at the beginning of an outage, 10 s after a minute of it, and up to half as much again, so
/// that clients do not return in step.
/// @param jitter from 0 to 1
[[nodiscard]] inline std::chrono::seconds outage_wait(clock::duration outage, double jitter) {
    constexpr std::chrono::duration<double> shortest{5};
    constexpr std::chrono::duration<double> growth_time{60};
    const auto grown = std::clamp(std::chrono::duration<double>{outage} / growth_time, 0.0, 1.0);
    const auto wait = shortest * (1 + grown) * (1 + std::clamp(jitter, 0.0, 1.0) / 2);
    return std::chrono::floor<std::chrono::seconds>(wait);
}

/// Written on the tracker's strand, read by any thread.
class retry_advice {
public:
    /// @param time outlives this
    explicit retry_advice(clock& time) noexcept : clock_{time} {}

    void publish(const room_outlook& outlook) noexcept {
        forecast_.store(outlook.forecast.value_or(unknown), std::memory_order_relaxed);
        stalled_since_.store(outlook.stalled_since.value_or(never), std::memory_order_relaxed);
    }

    /// @param jitter from 0 to 1
    [[nodiscard]] std::chrono::seconds wait(double jitter) const {
        const auto forecast = forecast_.load(std::memory_order_relaxed);
        const auto since = stalled_since_.load(std::memory_order_relaxed);
        const auto outage =
            since == never ? clock::duration{0} : std::max(clock_.now() - since, clock::duration{0});
        const bool known = forecast != unknown && outage < forecast_lifetime;
        return known ? forecast : outage_wait(outage, jitter);
    }

private:
    static constexpr std::chrono::seconds unknown{0};
    static constexpr clock::time_point never{};
    static constexpr std::chrono::seconds forecast_lifetime{2}; // a sink that stops makes it wrong

    clock& clock_;
    std::atomic<std::chrono::seconds> forecast_{room_forecast::least};
    std::atomic<clock::time_point> stalled_since_{never};
};

} // namespace trackd
