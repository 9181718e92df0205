// How the body of a request is to be read: by its content type, or by a look at it where that says nothing.
#pragma once

#include "intake/refusal.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace trackd::intake {

enum class body_format : std::uint8_t {
    json,              ///< an object, which is one event, or an array of them
    cloudevent,        ///< one object, which must be a CloudEvent
    cloudevents_batch, ///< an array of CloudEvents
    ndjson,            ///< one object a line
    json_data,         ///< one event, whose data is the body: any JSON value
    opaque,            ///< one event, whose data is the body: any bytes
};

struct body_description {
    body_format format = body_format::json;
    std::string_view datacontenttype; ///< of the event that has the body for data; else empty
};

/// @param content_type the header's value; empty where there was none
/// @param body         looked at where the content type says nothing about it
/// @return why a body of this content type cannot be read; nothing if `description` was filled in
[[nodiscard]] std::optional<refusal>
describe_body(std::string_view content_type, std::string_view body, body_description& description);

/// The same where the body is data, whatever its content type says, and the attributes stand elsewhere. Without a
/// content type the event gets none.
/// @return as above; the format is `json_data` or `opaque`
[[nodiscard]] std::optional<refusal>
describe_data(std::string_view content_type, std::string_view body, body_description& description);

/// Whether a body of this content type is one CloudEvent or a batch of them, in whatever format.
[[nodiscard]] bool is_cloudevents(std::string_view content_type) noexcept;

/// The body without the byte order mark that some editors put before JSON text.
[[nodiscard]] std::string_view without_byte_order_mark(std::string_view body) noexcept;

} // namespace trackd::intake
