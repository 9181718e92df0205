// What proxies say in X-Forwarded-For about who asked them.
#pragma once

#include "http/client_address.hpp"
#include "http/request.hpp"
#include "http/trusted_proxies.hpp"

#include <optional>
#include <span>

namespace trackd::http {

/// Reads the list that all fields of this name make up, from its end, where the proxy that is next to us has written.
/// Addresses of trusted proxies are passed over; the first other one is the client's. What stands before it may be
/// anybody's invention. Something that is no address ends the list: the last address before it counts.
/// @return the client's address; where all of them are trusted the one that is first in the list; nothing where there
///         is no list, or where it ends in something that is no address
[[nodiscard]] std::optional<client_address>
forwarded_client(std::span<const request::header_field> fields, const trusted_proxies& trusted);

} // namespace trackd::http
