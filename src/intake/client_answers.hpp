// Errors as the client libraries of analytics services can read them.
#pragma once

#include "http/request.hpp"
#include "http/response.hpp"

#include <string_view>

namespace trackd::intake {

/// Whether it is a client of RudderStack, as far as its `User-Agent` says.
[[nodiscard]] bool names_rudderstack(const http::request& req) noexcept;

/// Two forms of errors, to be given to a route. An error that is for ever is 400, since clients take many another
/// status for a reason to try again, or to send smaller pieces; 401, 403, 404, 405, and
/// what may be tried again stay as they are.

/// A JSON object with a member for every library of Segment; to RudderStack's as below.
void say_to_segment(
    const http::request& asked, http::response& res, http::status what, std::string_view slug,
    std::string_view detail
);

/// A line of text, in the words of RudderStack's gateway, which says 413, too.
void say_to_rudderstack(
    const http::request& asked, http::response& res, http::status what, std::string_view slug,
    std::string_view detail
);

} // namespace trackd::intake
