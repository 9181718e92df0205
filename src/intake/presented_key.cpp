#include "intake/presented_key.hpp"

#include "base/ascii.hpp"
#include "intake/decode.hpp"

#include <algorithm>
#include <array>

namespace trackd::intake {

namespace {

using found = std::optional<std::string_view>;

constexpr std::array<std::string_view, 3> parameters{"key", "writeKey", "access_token"};

found unless_empty(std::string_view text) {
    return text.empty() ? found{} : found{text};
}

found in_basic(std::string_view credentials, std::string& room) {
    room.resize(credentials.size());
    const auto size = decode_base64(credentials, room.data());
    if (!size) return std::nullopt;
    room.resize(*size);
    return unless_empty(std::string_view{room}.substr(0, room.find(':')));
}

found in_authorization(std::string_view value, std::string& room) {
    const auto space = std::min(value.find(' '), value.size());
    const auto scheme = value.substr(0, space);
    value.remove_prefix(std::min(value.find_first_not_of(' ', space), value.size()));
    if (base::equal_ignoring_case(scheme, "Bearer")) return unless_empty(value);
    if (base::equal_ignoring_case(scheme, "Basic")) return in_basic(value, room);
    return std::nullopt;
}

found in_query(std::string_view query, std::string& room) {
    while (!query.empty()) {
        const auto pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(pair.size() + 1, query.size()));
        const auto equals = pair.find('=');
        if (equals == std::string_view::npos || equals + 1 == pair.size()) continue;
        if (std::ranges::find(parameters, pair.substr(0, equals)) == parameters.end()) continue;
        auto decoded = decode_percent(pair.substr(equals + 1));
        if (!decoded) return std::nullopt;
        room = std::move(*decoded);
        return unless_empty(room);
    }
    return std::nullopt;
}

} // namespace

std::optional<std::string_view> presented_key(const http::request& req, std::string& room) {
    if (const auto value = req.header(http::field::authorization); !value.empty()) {
        if (const auto key = in_authorization(value, room)) return key;
    }
    if (const auto value = req.header("X-Api-Key"); !value.empty()) return value;
    return in_query(req.query, room);
}

} // namespace trackd::intake
