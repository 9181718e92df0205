// What the connections of one thread share.
#pragma once

#include "http/answer.hpp"
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
    const options limits;
    const router routes;
    exchange_pool exchanges;
    deadline_sweep sweep;
    date_line date;
    wall_time now; ///< as of the last look: when bytes came, or a handler returned
    counters figures;

    bool announces_close = false; ///< every answer says `Connection: close`
    bool closing = false;         ///< and there is an end to it:
    tick_count idle_deadline = no_deadline;
    tick_count request_deadline = no_deadline;

    void look_at_clock() noexcept {
        now = std::chrono::time_point_cast<wall_time::duration>(std::chrono::system_clock::now());
    }

    /// Counts an exception that left a handler, and logs it, though not more than one a second.
    void handler_failed(const request& req, const std::exception_ptr& why);

    /// The same for a TLS handshake, though not more than one in ten seconds: strangers can make it fail.
    /// @param why empty: the client went away
    void handshake_failed(std::string_view why);

private:
    tick_count next_log_line_ = 0;
    std::uint64_t unlogged_ = 0;
    tick_count next_handshake_line_ = 0;
    std::uint64_t unlogged_handshakes_ = 0;
};

} // namespace trackd::http
