// Who a peer is when connections are counted by address.
#pragma once

#include "http/client_address.hpp"

#include <cstdint>
#include <string>

namespace trackd::http {

/// One IPv4 address, or one /64 of IPv6, which is what one customer has of it.
enum class peer_address : std::uint64_t {};

[[nodiscard]] peer_address peer_at(const client_address& address) noexcept;

/// For people: `192.0.2.1`, `2001:db8::/64`.
[[nodiscard]] std::string to_string(peer_address address);

} // namespace trackd::http
