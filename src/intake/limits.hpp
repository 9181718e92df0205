// The bounds of what the intake takes, and how often each was hit.
#pragma once

#include "base/counter.hpp"

#include <boost/system/error_code.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace trackd::intake {

/// What somebody had too much of, or may not do. Most are options of the configuration.
enum class limit : std::uint8_t {
    max_bodies_bytes,  ///< no room for the decoded body, beside those that are being read
    max_decoded_bytes, ///< of one body, once it is decoded
    max_decoded_ratio, ///< of the decoded body to what came
    max_batch_events,  ///< in one request
    max_event_bytes,   ///< of one event
    json_depth,        ///< arrays and objects within each other
    nameless_bytes,    ///< of a body that has to be read before it is known whose it is
    key_missing,
    key_unknown,
    key_origins,           ///< the key may not be used by this web page
    key_sources,           ///< nor for this source
    key_events_per_second, ///< of a key
    key_bytes_per_second,  ///< of a key
    backlog_full,          ///< no room for events in memory, for now
    backlog_too_small,     ///< for the events of this request, even if it were empty
    journal_full,          ///< no room for events on the disk, for now
    ack_timeout,           ///< stored, or not, but not confirmed in time
    count_                 // how many there are
};

inline constexpr auto all_limits = base::all_values<limit>;

/// In a metric's label: the key of the configuration, `http.max_event_bytes`, where it has one.
[[nodiscard]] std::string_view to_string(limit which) noexcept;

/// What was hit where events that could be read are not taken, or not known to be safe.
/// @param failed what `lane::admit` or `lane::acknowledged` said
/// @return nothing where it is no limit
[[nodiscard]] std::optional<limit> limit_behind(boost::system::error_code failed) noexcept;

/// How often each was hit. Written by one thread, read by any.
using limit_counters = base::counters_of<limit>;

} // namespace trackd::intake
