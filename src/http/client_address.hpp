// The address of a client or of a proxy: read off a socket, or out of what a proxy says.
#pragma once

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <string_view>
#include <sys/socket.h>

namespace trackd::http {

/// Never an IPv6 address that stands for one of IPv4 (`::ffff:192.0.2.1`): that is written as the latter. Without a
/// scope.
using client_address = boost::asio::ip::address;

/// @return nothing for a peer without an address, such as one of a socket file
[[nodiscard]] std::optional<client_address> address_of(const ::sockaddr_storage& from) noexcept;

/// Reads `192.0.2.1` or `2001:db8::1`, and nothing else: no port, no brackets, no scope.
[[nodiscard]] std::optional<client_address> parse_address(std::string_view text);

/// From the bytes of an address, as they cross the network: 4 or 16 of them.
[[nodiscard]] client_address address_from_bytes(std::string_view bytes) noexcept;

} // namespace trackd::http
