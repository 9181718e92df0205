// Whose word is taken for who a client is.
#pragma once

#include "http/client_address.hpp"

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace trackd::http {

/// Addresses and networks of proxies, and perhaps all that connect through a socket file. Any thread.
class trusted_proxies {
public:
    trusted_proxies() = default; ///< trusts nobody

    /// @param whom each `192.0.2.1`, `10.0.0.0/8`, `2001:db8::1`, `2001:db8::/32` or `unix`
    /// @throws std::invalid_argument naming the one that is something else
    explicit trusted_proxies(std::span<const std::string> whom);

    [[nodiscard]] bool trusts(const client_address& address) const noexcept;

    /// The same for a peer: nothing stands for one of a socket file.
    [[nodiscard]] bool trusts(const std::optional<client_address>& peer) const noexcept {
        return peer ? trusts(*peer) : unix_;
    }

private:
    void add(const std::string& network);

    std::vector<boost::asio::ip::network_v4> v4_;
    std::vector<boost::asio::ip::network_v6> v6_;
    bool unix_ = false;
};

} // namespace trackd::http
