// Who is at the other end of a connection, and whose its requests are: one address, or many behind a proxy.
#pragma once

#include "http/client_address.hpp"
#include "http/connection_limit.hpp"
#include "http/proxy_protocol.hpp"
#include "http/request.hpp"
#include "http/transport.hpp"
#include "http/trusted_proxies.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace trackd::http {

/// What a worker's connections have to know of proxies. Shared by all of them.
struct proxy_rules {
    trusted_proxies trusted;
    bool proxy_protocol = false; ///< a connection of a trusted proxy begins with its header
};

/// Of one connection, where there are rules; on its thread.
class connection_peer {
public:
    /// @param rules      outlive this
    /// @param descriptor a connected socket
    connection_peer(const proxy_rules& rules, int descriptor);

    /// Whether nothing may be read before the header of the PROXY protocol.
    [[nodiscard]] bool owes_header() const noexcept { return rules_.proxy_protocol && trusted_; }

    /// Takes off the socket what has come of that header, and nothing that follows it.
    /// @return done: from now on the peer is who the header names; failed: there is a `complaint` where it was malformed
    [[nodiscard]] transport::result read_header(int descriptor);

    /// What was wrong with the header; empty where nothing was.
    [[nodiscard]] std::string_view complaint() const noexcept { return complaint_; }

    /// What has come of a header that is not complete, or malformed.
    [[nodiscard]] std::string_view received() const noexcept { return received_; }

    /// Nothing for one of a socket file, here or at the proxy, and for one that has gone.
    [[nodiscard]] const std::optional<client_address>& address() const noexcept { return address_; }

    /// Finds out whose request this is, whose head is there: it has its `client` until the next call. Where that is
    /// somebody behind a proxy, the request is counted as one of that address until it is answered.
    /// @param limit null: nothing is counted
    /// @return false where the address has all that it may have
    [[nodiscard]] bool begin(request& req, connection_limit* limit);

    /// The request is answered.
    void answered() noexcept { share_.reset(); }

private:
    void become(const proxy_header& named);

    const proxy_rules& rules_;
    std::optional<client_address> address_;
    std::optional<client_address> forwarded_; // of the current request, where a trusted proxy names one
    std::optional<address_share> share_;      // of the current request
    std::string received_;
    std::string_view complaint_;
    bool trusted_ = false;
};

} // namespace trackd::http
