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
        waiting_.push_back({end, deadline, std::move(settled)});
    }

    /// Everything below `end` is as safe as was promised.
    void settle_up_to(position end) {
        settle_while([end](const entry& e) { return e.end <= end; }, {});
    }

    /// Tells those who wait for something from `begin` on what has become of it instead.
    void settle_from(position begin, boost::system::error_code outcome) {
        const auto first = std::partition_point(waiting_.begin(), waiting_.end(), [begin](const entry& e) {
            return e.end <= begin;
        });
        std::vector<entry> concerned{std::make_move_iterator(first), std::make_move_iterator(waiting_.end())};
        waiting_.erase(first, waiting_.end());
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
};

} // namespace trackd
