// Reads the events that route indexes do not know yet: those that were there before the index, or before the route.
#pragma once

#include "tracker/delivery.hpp"

#include <trackd/backlog.hpp>
#include <trackd/clock.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace trackd {

/// Confined to the tracker's strand. One read serves all sinks, so the backlog is read once however many there are.
/// Reads one chunk at a time, and lets other work of the strand run before the next.
class route_scan {
public:
    /// @param deliveries outlives the scan
    route_scan(
        tracker_strand strand, clock& time, backlog& store,
        const std::vector<std::unique_ptr<delivery>>& deliveries
    );

    /// Whether `run` has to be started: some event is unknown, and it does not run.
    [[nodiscard]] bool is_needed() const noexcept;

    /// Ends once no event is unknown, or after `end`.
    [[nodiscard]] boost::asio::awaitable<void> run();

    /// More events can be read.
    void wake();

    void end();

private:
    [[nodiscard]] std::optional<position> next() const noexcept;
    [[nodiscard]] boost::asio::awaitable<void> read_chunk(position from);

    tracker_strand strand_;
    clock& clock_;
    backlog& backlog_;
    const std::vector<std::unique_ptr<delivery>>& deliveries_;
    wakeup changed_;
    bool running_ = false;
    bool failing_ = false;
    bool ended_ = false;
};

} // namespace trackd
