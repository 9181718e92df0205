// See forwarded_for.hpp.
#include "http/forwarded_for.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <string_view>

namespace trackd::http {

namespace {

std::string_view trimmed(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_port(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 5 &&
           text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Some proxies write a port behind the address, and an IPv6 address then in brackets.
std::optional<client_address> address_in(std::string_view element) {
    if (element.starts_with('[')) {
        const auto end = element.find(']');
        if (end == std::string_view::npos) return {};
        const auto rest = element.substr(end + 1);
        if (!rest.empty() && !(rest.front() == ':' && is_port(rest.substr(1)))) return {};
        const auto address = parse_address(element.substr(1, end - 1));
        // Not `[192.0.2.1]`; `[::ffff:192.0.2.1]` has a colon.
        return element.substr(0, end).find(':') == std::string_view::npos ? std::nullopt : address;
    }
    const auto colon = element.find(':');
    const bool has_port = colon != std::string_view::npos && colon == element.rfind(':');
    if (!has_port) return parse_address(element);
    return is_port(element.substr(colon + 1)) ? parse_address(element.substr(0, colon)) : std::nullopt;
}

/// Walks through the elements of one field from its end. False: the walk is over.
bool walk(std::string_view list, const trusted_proxies& trusted, std::optional<client_address>& client) {
    for (bool more = true; more;) {
        const auto comma = list.rfind(',');
        more = comma != std::string_view::npos;
        const auto element = trimmed(more ? list.substr(comma + 1) : list);
        list = list.substr(0, more ? comma : 0);
        if (element.empty()) continue; // as in every list of HTTP
        const auto address = address_in(element);
        if (!address) return false;
        client = address;
        if (!trusted.trusts(*address)) return false;
    }
    return true;
}

} // namespace

std::optional<client_address>
forwarded_client(std::span<const request::header_field> fields, const trusted_proxies& trusted) {
    std::optional<client_address> client;
    for (auto each = fields.rbegin(); each != fields.rend(); ++each) {
        if (each->id != field::unknown || !base::equal_ignoring_case(each->name, "X-Forwarded-For")) continue;
        if (!walk(each->value, trusted, client)) break;
    }
    return client;
}

} // namespace trackd::http
