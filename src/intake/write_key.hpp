// The key by which a client of the analytics protocols says whose events it sends: each client puts it
// somewhere else.
#pragma once

#include "http/request.hpp"

#include <string>
#include <string_view>

namespace trackd::intake {

/// What a body has to say about it. Empty: nothing.
struct write_keys_in_body {
    std::string_view top;  ///< `writeKey` of the body's object
    std::string_view item; ///< `writeKey` of the first item of a batch that has one
};

/// Looks, in this order, at: the user name of `Authorization: Basic` (with its colon or without), the body,
/// the item, `writeKey` in the query, the field `X-Write-Key`, and the token of `Authorization: Bearer`. The
/// token comes last, because beside a key in the body it is one of OAuth.
/// @param memory gets the key where it has to be decoded
/// @return the key, which nobody has checked; empty if there is none. Views into the request, the body or the
///         memory.
[[nodiscard]] std::string_view
find_write_key(const http::request& req, const write_keys_in_body& in_body, std::string& memory);

} // namespace trackd::intake
