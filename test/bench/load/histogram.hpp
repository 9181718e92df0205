// Counts durations so that any percentile of millions of them can be told within one percent, in a fixed amount of
// memory.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace trackd::bench {

/// Buckets of equal width within each power of two: 128 of them, so that a bucket's bounds differ by less than 0.8 %.
/// Values below 256 have buckets of their own. For one thread.
class histogram {
public:
    /// Allocates nothing, and costs a few instructions whatever the value.
    void add(std::uint64_t value) noexcept {
        ++counts_[bucket_of(value)];
        ++count_;
        sum_ += static_cast<double>(value);
        max_ = std::max(max_, value);
    }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

    [[nodiscard]] std::uint64_t max() const noexcept { return max_; }

    /// @return 0 where there are no values
    [[nodiscard]] double mean() const noexcept {
        return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
    }

    /// @param percent 0 to 100
    /// @return a value that so many percent of all do not exceed: the largest one of its bucket, and never more than
    ///         `max()`; 0 where there are no values
    [[nodiscard]] std::uint64_t percentile(double percent) const noexcept {
        const auto wanted =
            static_cast<std::uint64_t>(std::ceil(static_cast<double>(count_) * percent / 100));
        std::uint64_t seen = 0;
        for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
            seen += counts_[bucket];
            if (seen >= std::max<std::uint64_t>(wanted, 1)) return std::min(last_of(bucket), max_);
        }
        return max_;
    }

private:
    static constexpr unsigned bits = 7;
    static constexpr std::uint64_t width = std::uint64_t{1} << bits;

    // How far a value is shifted right so that `bits + 1` bits of it are left; the first of them is always set, and
    // so the values of each shift begin where those of the one before end.
    static std::size_t bucket_of(std::uint64_t value) noexcept {
        if (value < 2 * width) return static_cast<std::size_t>(value);
        const auto shift = static_cast<unsigned>(std::bit_width(value)) - (bits + 1);
        return static_cast<std::size_t>(shift * width + (value >> shift));
    }

    static std::uint64_t last_of(std::size_t bucket) noexcept {
        if (bucket < 2 * width) return bucket;
        const auto shift = bucket / width - 1;
        return ((bucket - shift * width + 1) << shift) - 1;
    }

    std::array<std::uint64_t, (64 - bits + 1) * width> counts_{};
    std::uint64_t count_ = 0;
    double sum_ = 0;
    std::uint64_t max_ = 0;
};

} // namespace trackd::bench
