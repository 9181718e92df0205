// Taking an address apart.
#include "config/address.hpp"

#include "base/listen_address.hpp"

#include <algorithm>
#include <cstddef>

namespace trackd::config {
namespace {

constexpr std::string_view file = base::socket_file_prefix;
constexpr std::string_view passed = "systemd";

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
    return normalised.ends_with(":0") && !normalised.starts_with(file) && !normalised.starts_with(passed);
}

bool is_local(std::string_view normalised) noexcept {
    return normalised.starts_with("127.") || normalised.starts_with("[::1]") ||
           normalised.starts_with(file) || normalised.starts_with(passed);
}

} // namespace trackd::config
