// How much may wait in memory: credit that any thread can take without a lock, and the seal that ends
// the taking.
#pragma once

#include "base/byte_budget.hpp"

#include <trackd/error.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace trackd {

/// Counts the events and bytes that were admitted and not yet given back, against a limit for each. Any
/// thread.
///
/// A take that comes too close to the limit is undone, so for a moment the counters may stand above it, and
/// another take at that moment be refused although it would just have fitted.
class budget {
public:
    /// @param max_take_bytes what may be taken at once, at most
    budget(
        std::size_t max_events, std::size_t max_bytes,
        std::size_t max_take_bytes = static_cast<std::size_t>(-1)
    ) noexcept
        : max_events_{max_events}, bytes_{max_bytes}, max_take_bytes_{std::min(max_bytes, max_take_bytes)} {}

    /// Takes all of it or nothing.
    /// @return no error; errc::backlog_full, too_large or sealed; or what it was closed with
    [[nodiscard]] boost::system::error_code take(std::size_t events, std::size_t bytes) noexcept {
        if (events > max_events_ || bytes > max_take_bytes_) return errc::too_large;
        if (const auto closed = closed_.load(std::memory_order_relaxed); closed != errc{}) return closed;
        const auto before = events_.fetch_add(events, std::memory_order_acq_rel);
        if ((before & sealed_bit) != 0) {
            events_.fetch_sub(events, std::memory_order_relaxed);
            return errc::sealed;
        }
        if (before + events > max_events_) {
            events_.fetch_sub(events, std::memory_order_relaxed);
            return errc::backlog_full;
        }
        if (!bytes_.take(bytes)) {
            events_.fetch_sub(events, std::memory_order_relaxed);
            return errc::backlog_full;
        }
        return {};
    }

    void give_back(std::size_t events, std::size_t bytes) noexcept {
        events_.fetch_sub(events, std::memory_order_relaxed);
        bytes_.give_back(bytes);
    }

    /// Nothing can be taken while it is closed, for this reason. Who takes at this very moment may still get through.
    void close(errc why) noexcept { closed_.store(why, std::memory_order_relaxed); }

    void open() noexcept { closed_.store(errc{}, std::memory_order_relaxed); }

    /// Nothing can be taken after this, ever. What was taken before, on any thread, happened before this returns.
    void seal() noexcept { events_.fetch_or(sealed_bit, std::memory_order_acq_rel); }

    [[nodiscard]] std::size_t max_take_bytes() const noexcept { return max_take_bytes_; }

    [[nodiscard]] bool sealed() const noexcept {
        return (events_.load(std::memory_order_acquire) & sealed_bit) != 0;
    }

    [[nodiscard]] std::size_t events() const noexcept {
        return events_.load(std::memory_order_relaxed) & ~sealed_bit;
    }

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.taken(); }

private:
    static constexpr std::uint64_t sealed_bit = std::uint64_t{1} << 63U;

    const std::size_t max_events_;
    base::byte_budget bytes_;
    const std::size_t max_take_bytes_;
    std::atomic<std::uint64_t> events_{0};
    std::atomic<errc> closed_{errc{}};
};

} // namespace trackd
