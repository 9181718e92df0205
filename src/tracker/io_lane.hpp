// The tracker's side of a lane: see trackd/lane.hpp for the user's.
#pragma once

#include "tracker/budget.hpp"
#include "tracker/retry_advice.hpp"

#include <trackd/lane.hpp>
#include <trackd/onlooker.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

namespace trackd {

/// What is handed to the tracker: events, and who to tell when the acknowledgement holds. `settled` may be
/// empty, is called on the tracker's strand, once.
struct submission {
    batch events;
    std::function<void(boost::system::error_code)> settled;
    bool shown = false; ///< to the onlooker, with these:
    std::vector<sent_events> senders = {};
};

/// Owned by the tracker, confined to its context's thread but for what is marked.
class io_lane final : public lane {
public:
    /// @param advice   for clients that find no room; outlives the lane
    /// @param submit hands over; may be called from this lane's thread
    /// @param no_room somebody was refused because the backlog is full; empty: nobody cares
    /// @param looks_on null: nobody; outlives the lane
    io_lane(
        boost::asio::io_context& context, budget& credit, bool waits_for_ack, const retry_advice& advice,
        std::function<void(submission)> submit, std::function<void()> no_room = {},
        const onlooker* looks_on = nullptr
    );

    using lane::admit;
    [[nodiscard]] boost::system::error_code admit(batch::mark since, std::string_view sender) override;

    [[nodiscard]] bool waits_for_ack() const noexcept override { return waits_for_ack_; }

    void when_acknowledged(ack_handler handler) override;

    [[nodiscard]] std::chrono::seconds retry_after() const noexcept override;

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
    // Those who wait for one hand-over, and what has become of it.
    struct flight {
        std::vector<ack_handler> waiting;
        bool landed = false;
        boost::system::error_code outcome;
    };

    using landing = std::pair<std::shared_ptr<flight>, boost::system::error_code>;

    void note_sender(std::size_t events, std::string_view sender);
    void land(std::shared_ptr<flight> which, boost::system::error_code outcome);
    void settle_landed();
    [[nodiscard]] batch take_staged();

    executor_type executor_;
    budget& credit_;
    const bool waits_for_ack_;
    const retry_advice& advice_;
    mutable std::minstd_rand random_{std::random_device{}()}; // jitter
    const std::function<void(submission)> submit_;
    const std::function<void()> no_room_;
    const std::size_t most_staged_bytes_;
    const onlooker* const looks_on_;
    bool is_watched_ = false;          // somebody looked on when the first of what is staged was admitted
    std::vector<sent_events> senders_; // of what is staged, if so
    bool flush_posted_ = false;
    std::size_t room_ = 0; // of staged_, in bytes, if it has not grown since
    std::shared_ptr<flight>
        current_; // takes what was admitted last: it is boarding, on its way, or has landed
    std::atomic<std::uint64_t> accepted_{0}; // written by the lane's thread alone
    std::atomic<std::uint64_t> refused_{0};

    std::mutex mutex_; // guards what the tracker's strand hands over
    std::vector<landing> landed_;
};

} // namespace trackd
