// What the sender of a webhook says about it in the header section: which delivery it is, and of which event.
#pragma once

#include "http/request.hpp"

#include <string_view>

namespace trackd::intake {

/// The id that the sender gives the delivery, the same in each of its attempts; empty if there is none that can be an
/// id.
[[nodiscard]] std::string_view delivery_id_of(const http::request& req) noexcept;

/// The name that the sender gives the event; empty if there is none that can be a type.
[[nodiscard]] std::string_view event_name_of(const http::request& req);

} // namespace trackd::intake
