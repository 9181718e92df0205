// The parts of an address that a listener can be given: for who checks a configuration, and for who listens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/un.h>

namespace trackd::base {

/// What stands before the path of a socket file.
inline constexpr std::string_view socket_file_prefix = "unix:";

/// The longest path that a socket can be bound to.
inline constexpr std::size_t longest_socket_path = sizeof(sockaddr_un::sun_path) - 1;

/// Whether it is absolute, and a socket can be bound to it.
[[nodiscard]] bool is_socket_path(std::string_view path) noexcept;

/// Writes a host in one way: `IPv4` or `[IPv6]`.
/// @param text a numeric address (IPv6 in brackets), `localhost`, which is 127.0.0.1, or `*`, which is `[::]`
/// @return nothing if it is none of these
[[nodiscard]] std::optional<std::string> numeric_host(std::string_view text);

/// 0 to 65535, in digits only.
[[nodiscard]] std::optional<std::uint16_t> parse_port(std::string_view text) noexcept;

} // namespace trackd::base
