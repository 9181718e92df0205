// How many bytes may be held at once, whoever holds them: a number that all threads draw from without a lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace trackd::base {

/// Any thread.
///
/// A take that comes too close to the limit is undone, so for a moment the number may stand above it, and another take
/// at that moment be refused although it would just have fitted.
class byte_budget {
public:
    explicit byte_budget(std::size_t max) noexcept : max_{max} {}

    /// Takes all of it or nothing.
    [[nodiscard]] bool take(std::size_t bytes) noexcept {
        if (taken_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= max()) return true;
        give_back(bytes);
        return false;
    }

    void give_back(std::size_t bytes) noexcept { taken_.fetch_sub(bytes, std::memory_order_relaxed); }

    [[nodiscard]] std::size_t taken() const noexcept { return taken_.load(std::memory_order_relaxed); }

    [[nodiscard]] std::size_t max() const noexcept { return max_.load(std::memory_order_relaxed); }

    /// What is taken stays taken, be it more.
    void set_max(std::size_t max) noexcept { max_.store(max, std::memory_order_relaxed); }

private:
    std::atomic<std::size_t> max_;
    std::atomic<std::size_t> taken_{0};
};

/// What one holder has taken of a budget: grows with its memory, and is given back with it. One thread at a time.
class byte_share {
public:
    /// @param from outlives this; null: there is no limit
    explicit byte_share(byte_budget* from) noexcept : from_{from} {}

    ~byte_share() { release(); }

    byte_share(const byte_share&) = delete;
    byte_share& operator=(const byte_share&) = delete;

    /// Takes what is missing to so many bytes, or nothing.
    [[nodiscard]] bool grow_to(std::size_t bytes) noexcept {
        if (from_ == nullptr || bytes <= held_) return true;
        if (!from_->take(bytes - held_)) return false;
        held_ = bytes;
        return true;
    }

    /// Gives all of it back. Costs nothing where nothing is held.
    void release() noexcept {
        if (held_ > 0) from_->give_back(std::exchange(held_, 0));
    }

private:
    byte_budget* from_;
    std::size_t held_ = 0;
};

} // namespace trackd::base
