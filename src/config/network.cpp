// Asks the C library about the address, and counts the bits.
#include "config/network.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstddef>
#include <netinet/in.h>

namespace trackd::config {
namespace {

struct binary_address {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    std::size_t size = 0; ///< in use: 4 or 16
};

std::optional<binary_address> parse_address(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return std::nullopt; // the C library would stop there
    const std::string numeric{text};
    binary_address address;
    address.size = sizeof(in_addr);
    if (::inet_pton(AF_INET, numeric.c_str(), address.bytes.data()) == 1) return address;
    address.size = sizeof(in6_addr);
    if (::inet_pton(AF_INET6, numeric.c_str(), address.bytes.data()) == 1) return address;
    return std::nullopt;
}

std::optional<std::size_t> parse_bits(std::string_view text, std::size_t most) noexcept {
    std::size_t bits = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, bits);
    if (failure != std::errc{} || rest != end || bits > most) return std::nullopt;
    return bits;
}

void take_for_ipv4(binary_address& address, std::size_t& bits) {
    constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    constexpr std::size_t mapped_bits = 8 * mapped.size();
    if (address.size != sizeof(in6_addr) || bits < mapped_bits) return;
    if (!std::equal(mapped.begin(), mapped.end(), address.bytes.begin())) return;
    std::copy(address.bytes.begin() + mapped.size(), address.bytes.end(), address.bytes.begin());
    address.size = sizeof(in_addr);
    bits -= mapped_bits;
}

/// @return whether there were none
bool clear_bits_from(std::size_t first, binary_address& address) {
    bool clear = true;
    for (auto bit = first; bit < 8 * address.size; ++bit) {
        const auto mask = static_cast<unsigned char>(0x80U >> bit % 8);
        clear = clear && (address.bytes[bit / 8] & mask) == 0;
        address.bytes[bit / 8] &= static_cast<unsigned char>(~mask);
    }
    return clear;
}

} // namespace

std::optional<network> parse_network(std::string_view text) {
    const auto slash = std::min(text.find('/'), text.size());
    auto address = parse_address(text.substr(0, slash));
    if (!address) return std::nullopt;
    auto bits = std::optional{8 * address->size};
    if (slash < text.size()) bits = parse_bits(text.substr(slash + 1), *bits);
    if (!bits) return std::nullopt;
    take_for_ipv4(*address, *bits);
    network found;
    found.exact = clear_bits_from(*bits, *address);
    std::array<char, INET6_ADDRSTRLEN> written{};
    const int family = address->size == sizeof(in_addr) ? AF_INET : AF_INET6;
    ::inet_ntop(family, address->bytes.data(), written.data(), written.size());
    found.text = written.data();
    if (*bits < 8 * address->size) found.text += '/' + std::to_string(*bits);
    return found;
}

} // namespace trackd::config
