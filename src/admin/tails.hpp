// The live tails: what the tracker takes in, brought to those who look at `/events/tail`.
#pragma once

#include "admin/tail.hpp"
#include "http/body_source.hpp"
#include "http/router.hpp"
#include "http/task.hpp"

#include <trackd/clock.hpp>
#include <trackd/onlooker.hpp>

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace trackd::admin {

/// Batches wait for the executor's thread, which alone looks into them; what does not fit is counted as skipped.
/// Everything is called there but for `show`. Outlives the tracker, and the admin listener's connections.
class tails final : public onlooker {
public:
    /// More are refused.
    static constexpr std::size_t most = 8;

    tails(http::executor_type executor, clock& time);
    ~tails() override;

    void show(shown_batch shown) override;

    /// @return null if there are too many
    [[nodiscard]] std::unique_ptr<http::body_source> open(tail_options options);

    /// Every tail that is open says why, and ends. Another one can be opened.
    void end_open(std::string_view reason);

    /// The same for good: so does one that is opened later.
    void end(std::string_view reason);

private:
    class source;
    using timer = boost::asio::basic_waitable_timer<
        std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, http::executor_type>;

    void look_at_what_waits();
    [[nodiscard]] bool look_at_some(); // returns whether more waits
    void tick();
    void close(source& which) noexcept;

    http::executor_type executor_;
    clock& clock_;
    std::list<source*> open_;
    timer ticker_;
    std::string end_reason_; // not empty: it has come

    std::mutex mutex_; // guards what the tracker's strand hands over
    std::deque<shown_batch> waiting_;
    std::size_t waiting_bytes_ = 0;
    std::uint64_t skipped_ = 0;
};

/// `GET /events/tail`. For the admin listener only.
/// @param of outlives the routes
void add_tail_route(http::router& routes, tails& of);

} // namespace trackd::admin
