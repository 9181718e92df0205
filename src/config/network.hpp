// Networks of addresses, as proxies are named by them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace trackd::config {

struct network {
    std::string text; ///< written in one way: `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`
    bool exact =
        true; ///< false: the address had bits beyond the network's, which are left out, as in `10.0.0.1/8`
};

/// Reads a numeric address, or one with the number of its leading bits that make up a network. IPv6 addresses that
/// stand for those of IPv4 (`::ffff:10.0.0.0/104`) are written as the latter.
/// @return nothing if it is neither
[[nodiscard]] std::optional<network> parse_network(std::string_view text);

} // namespace trackd::config
