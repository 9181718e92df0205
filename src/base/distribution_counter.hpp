// Counting how a figure is distributed, without a locked instruction.
#pragma once

#include "base/counter.hpp"

#include <trackd/distribution.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace trackd::base {

/// Like `counter`, one thread changes it and others read it.
template <std::size_t Buckets>
class distribution_counter {
public:
    /// @param at_most what each bucket counts up to; rises
    explicit constexpr distribution_counter(const std::array<std::uint64_t, Buckets>& at_most) noexcept
        : at_most_{at_most} {}

    void add(std::uint64_t figure) noexcept {
        const auto bucket = std::ranges::lower_bound(at_most_, figure) - at_most_.begin();
        counts_[static_cast<std::size_t>(bucket)].add();
        sum_.add(figure);
    }

    /// @param per what the result is in: so many make one of it
    [[nodiscard]] distribution read(double per = 1) const {
        distribution all;
        for (std::size_t i = 0; i < Buckets; ++i)
            all.buckets.push_back({static_cast<double>(at_most_[i]) / per, counts_[i].value()});
        all.larger = counts_[Buckets].value();
        all.sum = static_cast<double>(sum_.value()) / per;
        return all;
    }

private:
    const std::array<std::uint64_t, Buckets> at_most_;
    std::array<counter, Buckets + 1> counts_;
    counter sum_;
};

template <std::size_t Buckets>
distribution_counter(const std::array<std::uint64_t, Buckets>&) -> distribution_counter<Buckets>;

} // namespace trackd::base
