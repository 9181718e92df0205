// The tracker's side of a lane: see trackd/lane.hpp for the user's.
#pragma once

#include "tracker/budget.hpp"

#include <trackd/lane.hpp>

#include <boost/asio/any_completion_handler.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

namespace trackd {

/// What is handed to the tracker: events, and who to tell when the acknowledgement holds. `settled` may be
/// empty, is called on the tracker's strand, once.
struct submission {
    batch events;
    std::function<void(boost::system::error_code)> settled;
};

/// Owned by the tracker, confined to its context's thread but for what is marked.
class io_lane final : public lane {
public:
    /// @param submit hands over; may be called from this lane's thread
    io_lane(
        boost::asio::io_context& context, budget& credit, bool waits_for_ack,
        std::function<void(submission)> submit
    );

    [[nodiscard]] boost::system::error_code admit(batch::mark since) override;

    [[nodiscard]] bool waits_for_ack() const noexcept override { return waits_for_ack_; }

    [[nodiscard]] boost::asio::awaitable<boost::system::error_code, executor_type> acknowledged() override;

    /// Hands over what is staged, now rather than at the end of this turn of the loop.
    void flush();

    [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }

    [[nodiscard]] std::uint64_t accepted() const noexcept {
        return accepted_.load(std::memory_order_acquire);
    } ///< any thread

    [[nodiscard]] std::uint64_t refused() const noexcept {
        return refused_.load(std::memory_order_relaxed);
    } ///< any thread

private:
    using ack_handler = boost::asio::any_completion_handler<void(boost::system::error_code)>;

    // Those who wait for one hand-over. Hand-overs are settled in the order in which they were made.
    using flight = std::vector<ack_handler>;

    template <class Token>
    auto async_acknowledged(flight& with, Token&& token);
    void settle(boost::system::error_code outcome);

    executor_type executor_;
    budget& credit_;
    const bool waits_for_ack_;
    const std::function<void(submission)> submit_;
    bool flush_posted_ = false;
    flight boarding_;
    std::deque<flight> flights_;
    boost::system::error_code last_outcome_;
    std::atomic<std::uint64_t> accepted_{0}; // written by the lane's thread alone
    std::atomic<std::uint64_t> refused_{0};
};

} // namespace trackd
