// See peer_address.hpp.
#include "http/peer_address.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

#include <cstring>
#include <netinet/in.h>

namespace trackd::http {

namespace ip = boost::asio::ip;

namespace {

// The upper half of an IPv6 address that nobody has (it is one of multicast) stands before those of IPv4.
constexpr std::uint64_t v4_mark = 0xffff'0000'0000'0000;

peer_address of(const ip::address_v4& address) noexcept {
    return peer_address{v4_mark | address.to_uint()};
}

peer_address of(const ip::address_v6& address) noexcept {
    if (address.is_v4_mapped()) return of(ip::make_address_v4(ip::v4_mapped, address));
    std::uint64_t network = 0;
    const auto bytes = address.to_bytes();
    for (std::size_t i = 0; i < sizeof network; ++i)
        network = network << 8U | bytes[i];
    return peer_address{network};
}

} // namespace

std::optional<peer_address> peer_of(const ::sockaddr_storage& from) noexcept {
    if (from.ss_family == AF_INET) {
        ::sockaddr_in v4{};
        std::memcpy(&v4, &from, sizeof v4);
        return of(ip::address_v4{ntohl(v4.sin_addr.s_addr)});
    }
    if (from.ss_family == AF_INET6) {
        ::sockaddr_in6 v6{};
        std::memcpy(&v6, &from, sizeof v6);
        ip::address_v6::bytes_type bytes;
        std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
        return of(ip::address_v6{bytes});
    }
    return {};
}

std::string to_string(peer_address address) {
    const auto number = static_cast<std::uint64_t>(address);
    if ((number & v4_mark) == v4_mark) return ip::address_v4{static_cast<std::uint32_t>(number)}.to_string();
    ip::address_v6::bytes_type bytes{};
    for (std::size_t i = 0; i < sizeof number; ++i)
        bytes[i] = static_cast<unsigned char>(number >> 8U * (sizeof number - 1 - i));
    return ip::address_v6{bytes}.to_string() + "/64";
}

} // namespace trackd::http
