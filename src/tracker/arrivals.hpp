// When events arrived, by the monotonic clock: the bound for what their `received_at` says about their age.
#pragma once

#include <trackd/clock.hpp>
#include <trackd/event.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <optional>
#include <vector>

namespace trackd {

/// Arrival times of the positions that a sink has not yet passed, in a bounded number of entries: events that arrive
/// within the resolution share an entry, and the resolution doubles when the entries are used up. A value of its
/// owner's thread.
class arrivals {
public:
    static constexpr std::size_t max_entries = 64;
    static constexpr clock::duration finest = std::chrono::seconds{1};

    struct interval {
        clock::time_point first;
        clock::time_point last;
    };

    /// The events below `next` are there, and nothing is known about their arrival.
    void begin(position next) {
        begin_ = next;
        entries_.clear();
    }

    /// The next event will get `next`. A lower one than before: the events from there on were dropped.
    void reached(position next, clock::time_point now) {
        drop_from(next);
        if (next == end()) return;
        if (!entries_.empty() && now - entries_.back().first < resolution_) {
            entries_.back().end = next;
            entries_.back().last = now;
            return;
        }
        if (entries_.size() == max_entries) halve();
        entries_.push_back({next, now, now});
    }

    /// The events below `at` are of no interest any more.
    void forget_below(position at) {
        const auto kept = std::ranges::find_if(entries_, [at](const entry& one) { return one.end > at; });
        if (kept == entries_.begin()) return;
        begin_ = std::prev(kept)->end;
        entries_.erase(entries_.begin(), kept);
        if (entries_.empty()) resolution_ = finest;
    }

    /// What `reached` was last called with.
    [[nodiscard]] position end() const noexcept { return entries_.empty() ? begin_ : entries_.back().end; }

    /// Between which two times the event at `at` arrived.
    /// @return none for an event that was there before `begin`
    [[nodiscard]] std::optional<interval> of(position at) const {
        if (at < begin_) return {};
        const auto found = std::ranges::find_if(entries_, [at](const entry& one) { return one.end > at; });
        if (found == entries_.end()) return {};
        return interval{found->first, found->last};
    }

private:
    struct entry {
        position end; // of its events
        clock::time_point first;
        clock::time_point last;
    };

    void drop_from(position next) {
        while (!entries_.empty() && entries_.back().end > next) {
            const auto start = entries_.size() > 1 ? entries_[entries_.size() - 2].end : begin_;
            if (start < next) {
                entries_.back().end = next;
                return;
            }
            entries_.pop_back();
        }
        begin_ = std::min(begin_, next);
    }

    void halve() {
        for (std::size_t i = 0; i + 1 < entries_.size(); i += 2)
            entries_[i / 2] = {entries_[i + 1].end, entries_[i].first, entries_[i + 1].last};
        entries_.resize(entries_.size() / 2);
        resolution_ *= 2;
    }

    position begin_ = 0;
    clock::duration resolution_ = finest;
    std::vector<entry> entries_;
};

} // namespace trackd
