// What the connections of one thread share.
#pragma once

#include "http/answer.hpp"
#include "http/client_address.hpp"
#include "http/counters.hpp"
#include "http/deadline_sweep.hpp"
#include "http/exchange.hpp"
#include "http/options.hpp"
#include "http/router.hpp"
#include "http/task.hpp"

#include <trackd/wall_time.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace trackd::http {

/// What an exception says, quoted: a client may have had a hand in it.
[[nodiscard]] std::string describe(const std::exception_ptr& failure);

struct worker_context {
    worker_context(executor_type runs_on, const options& bounds, router table)
        : executor(runs_on), limits(bounds), routes(std::move(table)), exchanges(limits) {}

    const executor_type executor;
    options limits; // these two change by `use` only
    router routes;
    exchange_pool exchanges;
    deadline_sweep sweep;
    date_line date;
    wall_time now; ///< as of the last look: when bytes came, or a handler returned
    counters figures{routes.patterns()};

    bool announces_close = false; ///< every answer says `Connection: close`
    bool closing = false;         ///< and there is an end to it:
    tick_count idle_deadline = no_deadline;
    tick_count request_deadline = no_deadline;

    /// As `worker::use`.
    void use(options bounds, cors_policy cors);

    void look_at_clock() noexcept {
        now = std::chrono::time_point_cast<wall_time::duration>(std::chrono::system_clock::now());
    }

    /// Counts an exception that left a handler, and logs it, though not more than one a second.
    void handler_failed(const request& req, const std::exception_ptr& why);

    /// The same for a TLS handshake, though not more than one in ten seconds: strangers can make it fail.
    /// @param why empty: the client went away
    void handshake_failed(std::string_view why);

    /// The same for a trusted proxy whose connection does not begin with a header of the PROXY protocol.
    /// @param received what came instead, or of it
    void proxy_header_failed(
        const std::optional<client_address>& from, std::string_view why, std::string_view received
    );

    /// Says, at the same rate, that something of this address was turned away, which is counted already.
    void turned_away(const client_address& who);

private:
    /// Lets one line through in so much time, and counts those that it holds back.
    struct bounded_line {
        tick_count next = 0;
        std::uint64_t held_back = 0;

        bool may_come(tick_count at, std::chrono::seconds every);
    };

    bounded_line handler_line_;
    bounded_line handshake_line_;
    bounded_line proxy_line_;
    bounded_line turned_away_line_;
};

} // namespace trackd::http
