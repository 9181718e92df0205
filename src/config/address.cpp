// Taking an address apart, and asking the C library whether its host is numeric.
#include "config/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <sys/un.h>

namespace trackd::config {
namespace {

constexpr std::string_view file = "unix:";
constexpr std::string_view passed = "systemd";

std::optional<std::string> normalised_host(std::string_view host) {
    if (host.empty() || host == "*") return "[::]";
    if (host == "localhost") return "127.0.0.1";
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    const int family = bracketed ? AF_INET6 : AF_INET;
    const std::string numeric{bracketed ? host.substr(1, host.size() - 2) : host};
    if (numeric.find('\0') != std::string::npos) return std::nullopt; // the C library would stop there
    std::array<unsigned char, sizeof(in6_addr)> binary{};
    if (::inet_pton(family, numeric.c_str(), binary.data()) != 1) return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(family, binary.data(), text.data(), text.size());
    return bracketed ? '[' + std::string{text.data()} + ']' : std::string{text.data()};
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
    std::uint16_t port = 0;
    const auto end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, port);
    if (failure != std::errc{} || rest != end) return std::nullopt;
    return port;
}

// The longest path that a socket can be bound to.
constexpr std::size_t longest_socket_path = sizeof(sockaddr_un::sun_path) - 1;

bool is_socket_path(std::string_view path) noexcept {
    return path.starts_with('/') && path.size() <= longest_socket_path &&
           path.find('\0') == std::string_view::npos;
}

// What systemd accepts as FileDescriptorName=.
bool is_descriptor_name(std::string_view name) noexcept {
    constexpr std::size_t longest = 255;
    const auto fits = [](char c) { return c > ' ' && c < '\x7f' && c != ':'; };
    return !name.empty() && name.size() <= longest && std::ranges::all_of(name, fits);
}

} // namespace

std::optional<std::string> normalised_address(std::string_view text) {
    if (text.starts_with(file))
        return is_socket_path(text.substr(file.size())) ? std::optional{std::string{text}} : std::nullopt;
    if (text.starts_with(passed)) {
        const auto rest = text.substr(passed.size());
        const bool good = rest.empty() || (rest.front() == ':' && is_descriptor_name(rest.substr(1)));
        return good ? std::optional{std::string{text}} : std::nullopt;
    }
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto host = normalised_host(text.substr(0, colon));
    const auto port = parse_port(text.substr(colon + 1));
    if (!host || !port) return std::nullopt;
    return *host + ':' + std::to_string(*port);
}

bool takes_any_port(std::string_view normalised) noexcept {
    return normalised.ends_with(":0") && !normalised.starts_with(file) && !normalised.starts_with(passed);
}

} // namespace trackd::config
