// How often each route was answered with each status.
#pragma once

#include "base/counter.hpp"
#include "base/made_late.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trackd::http {

/// The answers to one route. Written by one thread, read by any.
class answer_counters {
public:
    /// So many statuses are counted each on its own; what else comes is counted together.
    static constexpr std::size_t most_statuses = 24;

    /// In place of a status: any that is one too many.
    static constexpr unsigned other = 0;

    void add(unsigned status) noexcept {
        for (auto& one : by_status_) {
            const auto held = one.status.load(std::memory_order_relaxed);
            if (held == other)
                one.status.store(status, std::memory_order_relaxed); // it is the first of its kind
            if (held == other || held == status) return one.count.add();
        }
        others_.add();
    }

    /// Calls `show(status, count)` for each status that there was.
    template <class Show>
    void each(Show show) const {
        for (const auto& one : by_status_)
            if (const auto count = one.count.value(); count != 0)
                if (const auto status = one.status.load(std::memory_order_relaxed); status != other)
                    show(status, count);
        if (const auto count = others_.value(); count != 0) show(other, count);
    }

private:
    struct counted {
        std::atomic<unsigned> status = other; // set once, before the first count
        base::counter count;
    };

    std::array<counted, most_statuses> by_status_;
    base::counter others_;
};

/// The same for all routes of a router, which numbers them. What no route answered is the route 0.
class route_counters {
public:
    /// @param patterns of the routes, by their numbers
    explicit route_counters(std::vector<std::string> patterns)
        : patterns_(std::move(patterns)), by_route_(patterns_.size()) {}

    void add(std::size_t route, unsigned status) { by_route_[route].get().add(status); }

    /// Calls `show(pattern, status, count)` for each route and each status that there was. Any thread.
    template <class Show>
    void each(Show show) const {
        for (std::size_t route = 0; route < by_route_.size(); ++route)
            if (const auto* answers = by_route_[route].look())
                answers->each([&](unsigned status, std::uint64_t count) {
                    show(std::string_view{patterns_[route]}, status, count);
                });
    }

    /// How often this was the answer, whatever the route. Any thread.
    [[nodiscard]] std::uint64_t of(unsigned status) const {
        std::uint64_t all = 0;
        each([&](std::string_view, unsigned answered, std::uint64_t count) {
            if (answered == status) all += count;
        });
        return all;
    }

private:
    const std::vector<std::string> patterns_;
    std::vector<base::made_late<answer_counters>> by_route_;
};

} // namespace trackd::http
