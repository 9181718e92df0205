// The key by which a client of the analytics protocols says whose events it sends: each client puts it
// somewhere else.
#pragma once

#include "http/request.hpp"

#include <string>
#include <string_view>

namespace trackd::intake {

/// Looks, in this order, at: the user name of `Authorization: Basic` (with its colon or without), the body,
/// `writeKey` in the query, the field `X-Write-Key`, and the token of `Authorization: Bearer`. The token comes
/// last, because beside a key in the body it is one of OAuth.
/// @param in_body what the body says; empty: nothing
/// @param memory gets the key where it has to be decoded
/// @return the key, which nobody has checked; empty if there is none. Views into the request, the body or the
///         memory.
[[nodiscard]] std::string_view
find_write_key(const http::request& req, std::string_view in_body, std::string& memory);

} // namespace trackd::intake
