// The vocabulary's first word: one tracked fact, with the attributes of CloudEvents 1.0.
#pragma once

#include <trackd/wall_time.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace trackd {

/// An event's place in the backlog: rises by one an event, is never reused. The first event has position 1.
using position = std::uint64_t;

/// The longest that a single attribute (id, source, type, subject, datacontenttype) may be, in bytes.
inline constexpr std::size_t max_attribute_bytes = 1024;

/// What the bytes of an event's `data` are, which decides how a sink writes them down.
enum class data_kind : std::uint8_t {
    none,   ///< no data at all
    json,   ///< one valid JSON value, as the client sent it
    text,   ///< UTF-8 text, not escaped
    binary, ///< any bytes
};

/// One event as views into memory that somebody else owns (a batch, or a request's body).
///
/// `subject`, `datacontenttype` and `extensions` are empty where the event has none. `extensions` is one
/// valid JSON object with the CloudEvents extension attributes (and `dataschema`) as its members, for example
/// `{"traceparent":"00-…","sampledrate":3}`.
struct event_view {
    std::string_view id;
    std::string_view source;
    std::string_view type;
    std::string_view subject;
    std::string_view datacontenttype;
    std::string_view extensions;
    std::string_view data;
    data_kind kind = data_kind::none;
    wall_time time;        ///< when it happened, as the client says; else its arrival
    wall_time received_at; ///< its arrival here
};

} // namespace trackd
