// Counts the calls that are left out of batches, and logs some of them.
#pragma once

#include "http/request.hpp"
#include "intake/counters.hpp"
#include "intake/keys.hpp"
#include "intake/rejected_calls.hpp"

#include <chrono>
#include <cstdint>

namespace trackd::intake {

/// Confined to one thread.
class rejection_recorder {
public:
    /// @param counts outlives this
    explicit rejection_recorder(counters& counts) noexcept : counts_{counts} {}

    /// Counts the calls by reason, and logs the first one, at most one line in ten seconds.
    /// @param caller null: the request came without a key
    void record(const http::request& req, const key* caller, const rejected_calls& rejected);

private:
    using clock = std::chrono::steady_clock;

    counters& counts_;
    clock::time_point next_line_{};
    std::uint64_t unlogged_ = 0;
};

} // namespace trackd::intake
