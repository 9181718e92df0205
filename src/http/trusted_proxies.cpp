// See trusted_proxies.hpp.
#include "http/trusted_proxies.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace trackd::http {

namespace ip = boost::asio::ip;

namespace {

bool contains(const ip::network_v4& network, const ip::address_v4& address) noexcept {
    const auto mask = network.netmask().to_uint();
    return (network.address().to_uint() & mask) == (address.to_uint() & mask);
}

bool contains(const ip::network_v6& network, const ip::address_v6& address) noexcept {
    const auto ours = network.address().to_bytes();
    const auto other = address.to_bytes();
    const auto whole = static_cast<std::size_t>(network.prefix_length() / 8);
    if (!std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(whole), other.begin()))
        return false;
    const auto bits = static_cast<unsigned>(network.prefix_length() % 8);
    return bits == 0 || (ours[whole] ^ other[whole]) >> (8U - bits) == 0;
}

template <class Networks, class Address>
bool any_contains(const Networks& networks, const Address& address) noexcept {
    return std::ranges::any_of(networks, [&](const auto& each) { return contains(each, address); });
}

} // namespace

trusted_proxies::trusted_proxies(std::span<const std::string> whom) {
    for (const auto& each : whom) {
        if (each == "unix")
            unix_ = true;
        else
            add(each);
    }
}

void trusted_proxies::add(const std::string& network) {
    const auto refuse = [&] {
        throw std::invalid_argument{
            "trusted proxy \"" + network + "\": expected an address, a network or unix"
        };
    };
    const auto slash = std::min(network.find('/'), network.size());
    const auto address = parse_address(std::string_view{network}.substr(0, slash));
    if (!address) return refuse();
    unsigned short bits = address->is_v4() ? 32 : 128;
    if (slash < network.size()) {
        const auto most = bits;
        const auto* const end = network.data() + network.size();
        const auto [rest, wrong] = std::from_chars(network.data() + slash + 1, end, bits);
        if (wrong != std::errc{} || rest != end || bits > most) return refuse();
    }
    if (address->is_v4())
        v4_.emplace_back(address->to_v4(), bits);
    else
        v6_.emplace_back(address->to_v6(), bits);
}

bool trusted_proxies::trusts(const client_address& address) const noexcept {
    return address.is_v4() ? any_contains(v4_, address.to_v4()) : any_contains(v6_, address.to_v6());
}

} // namespace trackd::http
