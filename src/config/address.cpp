// Taking an address apart.
#include "config/address.hpp"

#include "base/listen_address.hpp"

#include <algorithm>
#include <cstddef>

namespace trackd::config {
namespace {

constexpr std::string_view file = base::socket_file_prefix;
constexpr std::string_view passed = "systemd";

constexpr std::string_view all_interfaces = "[::]";
constexpr std::string_view all_of_ipv4 = "0.0.0.0";

bool is_tcp(std::string_view normalised) noexcept {
    return !normalised.starts_with(file) && !normalised.starts_with(passed);
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
        return base::is_socket_path(text.substr(file.size())) ? std::optional{std::string{text}}
                                                              : std::nullopt;
    if (text.starts_with(passed)) {
        const auto rest = text.substr(passed.size());
        const bool good = rest.empty() || (rest.front() == ':' && is_descriptor_name(rest.substr(1)));
        return good ? std::optional{std::string{text}} : std::nullopt;
    }
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto host = base::numeric_host(colon == 0 ? "*" : text.substr(0, colon));
    const auto port = base::parse_port(text.substr(colon + 1));
    if (!host || !port) return std::nullopt;
    return *host + ':' + std::to_string(*port);
}

bool takes_any_port(std::string_view normalised) noexcept {
    return normalised.ends_with(":0") && is_tcp(normalised);
}

bool is_local(std::string_view normalised) noexcept {
    return normalised.starts_with("127.") || normalised.starts_with("[::1]") ||
           normalised.starts_with(file) || normalised.starts_with(passed);
}

bool exclude_each_other(std::string_view normalised, std::string_view other) noexcept {
    if (takes_any_port(normalised)) return false;
    if (normalised == other) return true;
    if (!is_tcp(normalised) || !is_tcp(other)) return false;
    const auto host = normalised.substr(0, normalised.rfind(':'));
    const auto other_host = other.substr(0, other.rfind(':'));
    if (normalised.substr(host.size()) != other.substr(other_host.size())) return false;
    if (host == all_interfaces || other_host == all_interfaces) return true;
    const bool both_ipv4 = !host.starts_with('[') && !other_host.starts_with('[');
    return both_ipv4 && (host == all_of_ipv4 || other_host == all_of_ipv4);
}

} // namespace trackd::config
