// The events of a chunk that a sink wants, and their places among the others.
#pragma once

#include <trackd/backlog.hpp>
#include <trackd/route.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace trackd {

/// Immutable. Keeps the chunk, and with it the events' memory.
class selection {
public:
    /// @param stored events that the sink has already, and does not get again
    selection(chunk all, const route& wanted, const std::set<position>& stored = {})
        : all_{std::move(all)}, whole_{wanted.wants_all() && !has_any(stored)} {
        if (whole_) return;
        for (std::size_t i = 0; i < all_.events.size(); ++i) {
            if (!wanted.wants(all_.events[i]) || stored.contains(all_.first + i)) continue;
            wanted_.push_back(all_.events[i]);
            places_.push_back(all_.first + i);
        }
    }

    [[nodiscard]] std::span<const event_view> events() const noexcept {
        return whole_ ? all_.events : wanted_;
    }

    /// Also those that are not wanted.
    [[nodiscard]] std::span<const event_view> chunk_events() const noexcept { return all_.events; }

    /// @param index of an event; or their number, for the end of the chunk
    [[nodiscard]] position place(std::size_t index) const noexcept {
        if (whole_) return all_.first + index;
        return index < places_.size() ? places_[index] : all_.end();
    }

    /// Of the first event from `at` on that is wanted, or of the last one where the chunk ends before it. There is one
    /// at least.
    [[nodiscard]] wall_time received_at(position at) const noexcept {
        const auto next = whole_ ? places_.end() : std::ranges::lower_bound(places_, at);
        if (next != places_.end()) at = *next;
        return all_.events[std::min<std::size_t>(at - all_.first, all_.events.size() - 1)].received_at;
    }

private:
    [[nodiscard]] bool has_any(const std::set<position>& of) const {
        const auto first = of.lower_bound(all_.first);
        return first != of.end() && *first < all_.end();
    }

    chunk all_;
    bool whole_;
    std::vector<event_view> wanted_; // both empty where all are wanted
    std::vector<position> places_;
};

} // namespace trackd
