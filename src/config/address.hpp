// The addresses that a listener can be given.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace trackd::config {

/// Checks `HOST:PORT` and writes it in one way, `IPv4:PORT` or `[IPv6]:PORT`. The host is a numeric address
/// (IPv6 in brackets) or `localhost`, which is 127.0.0.1; `*` or nothing is `[::]`: all interfaces, IPv4
/// included. The port is 0 (any that is free) to 65535. `unix:/PATH`, a socket file, and `systemd` and
/// `systemd:NAME`, sockets that were passed to the process, stay as they are.
/// @return nothing if it is not one
[[nodiscard]] std::optional<std::string> normalised_address(std::string_view text);

/// Whether several listeners may have this address, as a free port is chosen for each.
[[nodiscard]] bool takes_any_port(std::string_view normalised) noexcept;

/// Whether nobody but this machine reaches a listener with this address: loopback, or a socket file. Of `systemd` it is
/// not known, and taken to be so.
[[nodiscard]] bool is_local(std::string_view normalised) noexcept;

/// Whether no two listeners can have these addresses, because one socket keeps the other from being bound.
[[nodiscard]] bool exclude_each_other(std::string_view normalised, std::string_view other) noexcept;

} // namespace trackd::config
