// Who waits until the events up to a position are safe: a queue in order of position, without a clock or a
// thread.
#pragma once

#include <trackd/clock.hpp>
#include <trackd/error.hpp>
#include <trackd/event.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <utility>
#include <vector>

namespace trackd {

/// Positions and deadlines rise from entry to entry, so that each question is answered at the front.
class acknowledgements {
public:
    using settled_function = std::function<void(boost::system::error_code)>;

    void add(position end, clock::time_point deadline, settled_function settled) {
        waiting_.push_back({begin_, end, deadline, std::move(settled)});
        begin_ = end;
    }

    /// Everything below `end` is as safe as was promised.
    void settle_up_to(position end) {
        settle_while([end](const entry& e) { return e.end <= end; }, {});
    }

    /// Some events below `end` are as safe as was promised, although not all before them are.
    /// @param is_safe of the events in [from, to)
    template <class Predicate>
    void settle_each(position end, Predicate is_safe) {
        const auto last = std::partition_point(waiting_.begin(), waiting_.end(), [end](const entry& e) {
            return e.end <= end;
        });
        const auto waits = [&is_safe](const entry& e) { return !is_safe(e.begin, e.end); };
        const auto first = std::find_if_not(waiting_.begin(), last, waits);
        if (first == last) return;
        const auto due = std::stable_partition(first, last, waits);
        std::vector<entry> concerned{std::make_move_iterator(due), std::make_move_iterator(last)};
        waiting_.erase(due, last);
        for (const auto& one : concerned)
            one.settled({});
    }

    /// Tells those who wait for something from `begin` on what has become of it instead.
    void settle_from(position begin, boost::system::error_code outcome) {
        const auto first = std::partition_point(waiting_.begin(), waiting_.end(), [begin](const entry& e) {
            return e.end <= begin;
        });
        std::vector<entry> concerned{std::make_move_iterator(first), std::make_move_iterator(waiting_.end())};
        waiting_.erase(first, waiting_.end());
        begin_ = std::min(begin_, begin);
        for (const auto& one : concerned)
            one.settled(outcome);
    }

    /// Tells those whose time is over.
    void expire(clock::time_point now, boost::system::error_code outcome) {
        settle_while([now](const entry& e) { return e.deadline <= now; }, outcome);
    }

    void settle_all(boost::system::error_code outcome) {
        settle_while([](const entry&) { return true; }, outcome);
    }

    /// @return `wakeup::never` when nobody waits
    [[nodiscard]] clock::time_point next_deadline() const noexcept {
        return waiting_.empty() ? wakeup::never : waiting_.front().deadline;
    }

private:
    struct entry {
        position begin;
        position end;
        clock::time_point deadline;
        settled_function settled;
    };

    template <class Predicate>
    void settle_while(Predicate is_due, boost::system::error_code outcome) {
        while (!waiting_.empty() && is_due(waiting_.front())) {
            const auto settled = std::move(waiting_.front().settled);
            waiting_.pop_front();
            settled(outcome);
        }
    }

    std::deque<entry> waiting_;
    position begin_ = 0; // of the next one's events, or before
};

} // namespace trackd
