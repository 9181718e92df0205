// Who a peer is when connections are counted by address.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/socket.h>

namespace trackd::http {

/// One IPv4 address, or one /64 of IPv6, which is what one customer has of it.
enum class peer_address : std::uint64_t {};

/// @return nothing for a peer without an address, such as one of a socket file
[[nodiscard]] std::optional<peer_address> peer_of(const ::sockaddr_storage& from) noexcept;

/// For people: `192.0.2.1`, `2001:db8::/64`.
[[nodiscard]] std::string to_string(peer_address address);

} // namespace trackd::http
