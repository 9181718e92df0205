// Asks the C library whether a host is numeric.
#include "base/listen_address.hpp"

#include <arpa/inet.h>
#include <array>
#include <charconv>

namespace trackd::base {

bool is_socket_path(std::string_view path) noexcept {
    return path.starts_with('/') && path.size() <= longest_socket_path &&
           path.find('\0') == std::string_view::npos;
}

std::optional<std::string> numeric_host(std::string_view text) {
    if (text == "*") return "[::]";
    if (text == "localhost") return "127.0.0.1";
    const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
    const int family = bracketed ? AF_INET6 : AF_INET;
    const std::string numeric{bracketed ? text.substr(1, text.size() - 2) : text};
    if (numeric.find('\0') != std::string::npos) return std::nullopt; // the C library would stop there
    std::array<unsigned char, sizeof(in6_addr)> binary{};
    if (::inet_pton(family, numeric.c_str(), binary.data()) != 1) return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> written{};
    ::inet_ntop(family, binary.data(), written.data(), written.size());
    return bracketed ? '[' + std::string{written.data()} + ']' : std::string{written.data()};
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
    std::uint16_t port = 0;
    const auto end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, port);
    if (failure != std::errc{} || rest != end) return std::nullopt;
    return port;
}

} // namespace trackd::base
