#include "intake/presented_key.hpp"

#include "http/authorization.hpp"
#include "http/query.hpp"
#include "intake/decode.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace trackd::intake {

namespace {

constexpr std::array<std::string_view, 3> parameters{"key", "writeKey", "access_token"};

std::optional<shown_key> in_query(std::string_view query, std::string& room) {
    while (!query.empty()) {
        const auto [name, value] = http::take_parameter(query);
        if (value.empty() || std::ranges::find(parameters, name) == parameters.end()) continue;
        auto decoded = decode_percent(value);
        if (!decoded) return std::nullopt;
        room = std::move(*decoded);
        return shown_key{room};
    }
    return std::nullopt;
}

} // namespace

std::optional<shown_key> presented_key(const http::request& req, std::string& room) {
    const auto shown = http::read_authorization(req.header(http::field::authorization), room);
    if (!shown.key.empty()) return shown_key{shown.key, shown.by == http::credentials::scheme::bearer};
    if (const auto value = req.header("X-Api-Key"); !value.empty()) return shown_key{value};
    return in_query(req.query, room);
}

} // namespace trackd::intake
