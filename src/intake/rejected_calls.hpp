// The calls of a batch that are left out of it, while the others are stored.
#pragma once

#include "base/counter.hpp"
#include "intake/refusal.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::intake {

enum class call_fault : std::uint8_t {
    invalid_json,
    json_depth, ///< nested deeper than `max_json_depth`
    invalid_event,
    no_user,
    event_too_large,
    count_ // how many there are
};

inline constexpr auto all_call_faults = base::all_values<call_fault>;

/// In answers and in a metric's label: `invalid_json`.
[[nodiscard]] std::string_view to_string(call_fault fault) noexcept;

[[nodiscard]] call_fault fault_of(const refusal& reason) noexcept;

/// How often a call was left out of its batch. Written by one thread, read by any.
using call_fault_counters = base::counters_of<call_fault>;

/// The calls that one batch has lost, by index.
class rejected_calls {
public:
    struct call {
        std::size_t index = 0; ///< in its batch
        refusal reason;
    };

    void clear() noexcept { calls_.clear(); }

    void add(std::size_t index, refusal reason) { calls_.push_back({index, std::move(reason)}); }

    [[nodiscard]] bool empty() const noexcept { return calls_.empty(); }

    [[nodiscard]] std::size_t size() const noexcept { return calls_.size(); }

    [[nodiscard]] const std::vector<call>& calls() const noexcept { return calls_; }

private:
    std::vector<call> calls_;
};

/// "batch [3]: ..."
[[nodiscard]] std::string describe(const rejected_calls::call& rejected);

/// Appends the members of an answer: how many calls were rejected, and which, as JSON.
void append_rejected_calls(const rejected_calls& rejected, std::string& json);

} // namespace trackd::intake
