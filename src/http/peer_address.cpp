// See peer_address.hpp.
#include "http/peer_address.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

#include <cstddef>

namespace trackd::http {

namespace ip = boost::asio::ip;

namespace {

// The upper half of an IPv6 address that nobody has (it is one of multicast) stands before those of IPv4.
constexpr std::uint64_t v4_mark = 0xffff'0000'0000'0000;

} // namespace

peer_address peer_at(const client_address& address) noexcept {
    if (address.is_v4()) return peer_address{v4_mark | address.to_v4().to_uint()};
    const auto bytes = address.to_v6().to_bytes();
    std::uint64_t network = 0;
    for (std::size_t i = 0; i < sizeof network; ++i)
        network = network << 8U | bytes[i];
    return peer_address{network};
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
