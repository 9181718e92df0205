// How much a key may send in what time: a bucket that many threads draw from without a lock.
#pragma once

#include <trackd/clock.hpp>

#include <atomic>
#include <cstdint>
#include <optional>

namespace trackd::intake {

/// A token bucket that holds what one second brings, kept as one number: the time at which it will be full again. So
/// it needs no timer, and a limit that changes leaves it as far from full as it is.
///
/// Something larger than the bucket is taken when the bucket is full, and leaves a debt: so the rate holds in the long
/// run, and nothing is too large for ever. Any thread.
class rate {
public:
    /// Takes all of the amount, or nothing of it.
    /// @param per_second 1 or more
    /// @return how long until it may be there; nothing if it was taken
    [[nodiscard]] std::optional<clock::duration>
    take(std::uint64_t amount, std::uint64_t per_second, clock::time_point now) noexcept;

    /// Undoes a `take` whose amount was not used after all.
    void give_back(std::uint64_t amount, std::uint64_t per_second) noexcept;

private:
    std::atomic<clock::duration::rep> full_at_ = clock::time_point::min().time_since_epoch().count();
};

} // namespace trackd::intake
