#include "intake/rate.hpp"

#include <algorithm>

namespace trackd::intake {

namespace {

using ticks = clock::duration::rep;

constexpr ticks second = clock::duration{std::chrono::seconds{1}}.count();

// More than any body has bytes, and little enough to be multiplied.
constexpr std::uint64_t largest_amount = 8'000'000'000;
static_assert(largest_amount <= INT64_MAX / second);

/// The time that it takes to bring so much. Rounded down: a bucket filled in parts shall not be a tick too small.
ticks time_for(std::uint64_t amount, std::uint64_t per_second) noexcept {
    return static_cast<ticks>(
        std::min(amount, largest_amount) * static_cast<std::uint64_t>(second) / per_second
    );
}

} // namespace

std::optional<clock::duration>
rate::take(std::uint64_t amount, std::uint64_t per_second, clock::time_point now) noexcept {
    const auto wanted = time_for(amount, per_second);
    const auto present = now.time_since_epoch().count();
    auto full_at = full_at_.load(std::memory_order_relaxed);
    for (;;) {
        const auto from = std::max(full_at, present);
        const auto missing = from - present + std::min(wanted, second) - second;
        if (missing > 0) return clock::duration{missing};
        if (full_at_.compare_exchange_weak(full_at, from + wanted, std::memory_order_relaxed)) return {};
    }
}

void rate::give_back(std::uint64_t amount, std::uint64_t per_second) noexcept {
    full_at_.fetch_sub(time_for(amount, per_second), std::memory_order_relaxed);
}

} // namespace trackd::intake
