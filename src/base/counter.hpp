// Counting without a locked instruction.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace trackd::base {

/// A number that one thread changes and others read. Costs no locked instruction.
class counter {
public:
    void add(std::uint64_t n = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }

    [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_ = 0;
};

/// Of an enumeration whose values begin at 0, and whose last one is `count_`.
template <class Enum>
inline constexpr auto all_values = [] {
    std::array<Enum, static_cast<std::size_t>(Enum::count_)> all{};
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = static_cast<Enum>(i);
    return all;
}();

/// A counter for each of them.
template <class Enum>
class counters_of {
public:
    void add(Enum which) noexcept { counts_[static_cast<std::size_t>(which)].add(); }

    [[nodiscard]] std::uint64_t of(Enum which) const noexcept {
        return counts_[static_cast<std::size_t>(which)].value();
    }

private:
    std::array<counter, static_cast<std::size_t>(Enum::count_)> counts_;
};

} // namespace trackd::base
