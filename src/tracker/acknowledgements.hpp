// Who waits until the events up to a position are safe: a queue in order of position, without a clock or a
// thread.
#pragma once

#include <trackd/clock.hpp>
#include <trackd/error.hpp>
#include <trackd/event.hpp>

#include <deque>
#include <functional>
#include <utility>

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

    /// Tells those whose time is over that there is no confirmation yet.
    void expire(clock::time_point now) {
        settle_while([now](const entry& e) { return e.deadline <= now; }, errc::not_confirmed);
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
