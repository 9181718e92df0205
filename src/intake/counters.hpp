// What the intake of one thread counts: written by that thread, read by any.
#pragma once

#include "base/counter.hpp"
#include "base/made_late.hpp"
#include "intake/keys.hpp"
#include "intake/limits.hpp"
#include "intake/rejected_calls.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace trackd::intake {

/// What events come in.
enum class wire_format : std::uint8_t {
    native,  ///< CloudEvents, the short form, or any body
    segment, ///< what clients of Segment and RudderStack send
    webhook,
    pixel,
    count_ // how many there are
};

inline constexpr auto all_formats = base::all_values<wire_format>;

/// In a metric's label: `native`.
[[nodiscard]] std::string_view to_string(wire_format format) noexcept;

/// The events that were admitted, by key and format.
class accepted_counters {
public:
    /// @param caller null: they came without a key
    /// @param bytes  as the events are encoded
    void add(const key* caller, wire_format format, std::uint64_t events, std::uint64_t bytes) {
        const auto number = caller == nullptr ? key_numbers::none : caller->number();
        auto& of_key = by_key_[number].get()[static_cast<std::size_t>(format)];
        of_key.events.add(events);
        of_key.bytes.add(bytes);
    }

    struct figures {
        std::uint64_t events = 0;
        std::uint64_t bytes = 0;
    };

    /// Any thread.
    /// @param key its number
    [[nodiscard]] figures of(std::size_t key, wire_format format) const noexcept;

private:
    struct counted {
        base::counter events;
        base::counter bytes;
    };

    using by_format = std::array<counted, all_formats.size()>;
    std::array<base::made_late<by_format>, key_numbers::count> by_key_;
};

struct counters {
    limit_counters limits;
    accepted_counters accepted;
    call_fault_counters rejected_calls; ///< of batches, by reason
};

} // namespace trackd::intake
