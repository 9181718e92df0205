#include "intake/limits.hpp"

#include <trackd/error.hpp>

namespace trackd::intake {

std::string_view to_string(limit which) noexcept {
    switch (which) {
    case limit::max_bodies_bytes: return "http.max_bodies_bytes";
    case limit::max_decoded_bytes: return "http.max_decoded_bytes";
    case limit::max_decoded_ratio: return "http.max_decoded_ratio";
    case limit::max_batch_events: return "http.max_batch_events";
    case limit::max_event_bytes: return "http.max_event_bytes";
    case limit::json_depth: return "json_depth";
    case limit::nameless_bytes: return "nameless_bytes";
    case limit::key_missing: return "key_missing";
    case limit::key_unknown: return "key_unknown";
    case limit::key_origins: return "keys.origins";
    case limit::key_sources: return "keys.sources";
    case limit::key_events_per_second: return "keys.events_per_second";
    case limit::key_bytes_per_second: return "keys.bytes_per_second";
    case limit::backlog_full: return "backlog_full";
    case limit::backlog_too_small: return "backlog_too_small";
    case limit::journal_full: return "journal_full";
    case limit::ack_timeout: return "tracker.ack_timeout";
    case limit::count_: break;
    }
    return "unknown";
}

std::optional<limit> limit_behind(boost::system::error_code failed) noexcept {
    if (failed.category() != tracker_category()) return std::nullopt;
    switch (static_cast<errc>(failed.value())) {
    case errc::backlog_full: return limit::backlog_full;
    case errc::too_large: return limit::backlog_too_small;
    case errc::journal_full: return limit::journal_full;
    case errc::journal_slow:
    case errc::not_confirmed: return limit::ack_timeout;
    case errc::sealed:
    case errc::journal_failed:
    case errc::given_up: break;
    }
    return std::nullopt;
}

} // namespace trackd::intake
