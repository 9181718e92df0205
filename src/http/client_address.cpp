// See client_address.hpp.
#include "http/client_address.hpp"

#include <algorithm>
#include <cstring>
#include <netinet/in.h>

namespace trackd::http {

namespace ip = boost::asio::ip;

namespace {

client_address plain(const ip::address_v6& address) noexcept {
    if (address.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, address);
    return address;
}

template <class Bytes>
Bytes copy_of(const void* from) noexcept {
    Bytes bytes;
    std::memcpy(bytes.data(), from, bytes.size());
    return bytes;
}

} // namespace

std::optional<client_address> address_of(const ::sockaddr_storage& from) noexcept {
    if (from.ss_family == AF_INET) {
        ::sockaddr_in v4{};
        std::memcpy(&v4, &from, sizeof v4);
        return ip::address_v4{ntohl(v4.sin_addr.s_addr)};
    }
    if (from.ss_family == AF_INET6) {
        ::sockaddr_in6 v6{};
        std::memcpy(&v6, &from, sizeof v6);
        return plain(ip::address_v6{copy_of<ip::address_v6::bytes_type>(&v6.sin6_addr)});
    }
    return {};
}

// The characters are looked at first: Asio would read a scope, too, and stop at a NUL.
std::optional<client_address> parse_address(std::string_view text) {
    constexpr std::size_t longest = sizeof "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255" - 1;
    const auto fits = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' ||
               c == ':';
    };
    if (text.size() > longest || !std::ranges::all_of(text, fits)) return {};
    boost::system::error_code wrong;
    const auto address = ip::make_address(std::string{text}, wrong);
    if (wrong) return {};
    return address.is_v6() ? plain(address.to_v6()) : address;
}

client_address address_from_bytes(std::string_view bytes) noexcept {
    if (bytes.size() == ip::address_v4::bytes_type{}.size())
        return ip::address_v4{copy_of<ip::address_v4::bytes_type>(bytes.data())};
    return plain(ip::address_v6{copy_of<ip::address_v6::bytes_type>(bytes.data())});
}

} // namespace trackd::http
