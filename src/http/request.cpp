// Looking things up in a request's header section.
#include "http/request.hpp"

#include "base/ascii.hpp"
#include "http/framing.hpp"

#include <algorithm>

namespace trackd::http {

std::string_view request::header(field id) const noexcept {
    const auto found = std::ranges::find(headers, id, &header_field::id);
    return found == headers.end() ? std::string_view{} : found->value;
}

std::string_view request::header(std::string_view name) const noexcept {
    for (const auto& each : headers) {
        if (base::equal_ignoring_case(each.name, name)) return each.value;
    }
    return {};
}

bool request::header_has(std::string_view name, std::string_view token) const noexcept {
    return std::ranges::any_of(headers, [&](const header_field& each) {
        return base::equal_ignoring_case(each.name, name) && list_has_token(each.value, token);
    });
}

} // namespace trackd::http
