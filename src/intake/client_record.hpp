// What events are told of the client whose request brought them, if its operator wants that.
#pragma once

#include "http/request.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace trackd::intake {

enum class client_detail : std::uint8_t {
    none,
    truncated, ///< what tells kinds of clients apart, rather than clients
    full,
};

/// Extensions of the events of one request; empty: there is none.
struct client_facts {
    std::string_view address;
    std::string_view user_agent;
};

/// Of a user agent, however it is written, as much becomes an extension.
inline constexpr std::size_t max_user_agent_bytes = 512;

/// `full`: the address as it is. `truncated`: the network of 24 bits of an IPv4 address, of 48 bits of an IPv6 address,
/// with zeros for the rest.
[[nodiscard]] std::string written_address(const http::client_address& address, client_detail detail);

/// `full`: the text, without control characters. `truncated`: its products with the first number of their version, such
/// as `Mozilla/5 Chrome/130`; comments, and whatever has no such version, are left out.
/// @return valid UTF-8 of at most `max_user_agent_bytes`; empty where the text is no UTF-8, or nothing is left
[[nodiscard]] std::string written_user_agent(std::string_view text, client_detail detail);

/// Keeps the text of the last request. Confined to one thread.
class client_record {
public:
    explicit client_record(client_detail detail) noexcept : detail_{detail} {}

    /// @return null where nothing is to be recorded; valid until the next call
    [[nodiscard]] const client_facts* of(const http::request& req) {
        return detail_ == client_detail::none ? nullptr : write(req);
    }

private:
    [[nodiscard]] const client_facts* write(const http::request& req);

    client_detail detail_;
    std::string address_;
    std::string user_agent_;
    client_facts facts_;
};

} // namespace trackd::intake
