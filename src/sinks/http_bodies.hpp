// Events as the body of a request: how they are written, and how that is packed.
#pragma once

#include "sinks/http.hpp"

#include <trackd/event.hpp>

#include <span>
#include <string>
#include <string_view>

namespace trackd::sinks {

/// All events, in the JSON format of CloudEvents.
[[nodiscard]] std::string http_body(std::span<const event_view> events, http_format format);

[[nodiscard]] std::string_view content_type_of(http_format format) noexcept;

/// The body as its Content-Encoding wants it.
[[nodiscard]] std::string packed(std::string body, http_compression compression);

/// Empty, if it is not packed.
[[nodiscard]] std::string_view content_encoding_of(http_compression compression) noexcept;

} // namespace trackd::sinks
