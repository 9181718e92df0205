// Records what is rejected, whole requests as well as single calls of a batch: counts, the latest ones, and some log lines.
#pragma once

#include "http/rejection.hpp"
#include "intake/keys.hpp"
#include "intake/rejected_calls.hpp"

#include <trackd/clock.hpp>
#include <trackd/wall_clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::intake {

/// One for all threads. Its memory is bounded, whatever clients send.
class rejection_recorder final : public http::rejection_observer {
public:
    static constexpr std::size_t max_records = 50;

    /// The least time between two log lines of the same status and reason.
    static constexpr std::chrono::seconds between_lines{10};

    /// @param time outlives this
    explicit rejection_recorder(clock& time = system_clock(), wall_clock wall = utc_now);

    void on_rejected(const http::request& asked, const http::response& said, std::string_view route) override;

    /// Calls that were left out of a batch whose other calls are stored. They are not among `counts`.
    /// @param caller null: the request came without a key
    void record_calls(const http::request& asked, const key* caller, const rejected_calls& rejected);

    /// Whole requests, by status and reason. Some are listed though there was none.
    [[nodiscard]] std::vector<http::rejection_count> counts() const;

    /// The newest first.
    [[nodiscard]] std::vector<http::rejection_record> latest(std::size_t max = max_records) const;

private:
    /// Of one status and reason; `is_call` tells calls from requests.
    struct kind {
        unsigned status = 0;
        std::string reason;
        bool is_call = false;
        std::uint64_t count = 0;
        std::uint64_t unlogged = 0;
        std::optional<clock::time_point> next_line = {};
    };

    /// @return how many were not logged before; nothing: this one is not logged either
    [[nodiscard]] std::optional<std::uint64_t> keep(http::rejection_record rejected);
    [[nodiscard]] kind& kind_of(unsigned status, std::string_view reason, bool is_call);

    clock& clock_;
    const wall_clock wall_;
    mutable std::mutex mutex_; // of all that follows
    std::vector<kind> kinds_;
    std::vector<http::rejection_record> records_; // a ring, once there are `max_records`
    std::size_t oldest_ = 0;
};

} // namespace trackd::intake
