#include "http/authorization.hpp"

#include "base/ascii.hpp"
#include "base/base64.hpp"

#include <algorithm>

namespace trackd::http {

namespace {

std::string_view user_name(std::string_view basic, std::string& room) {
    room.resize(basic.size());
    const auto size = base::decode_base64(basic, room.data());
    if (!size) return {};
    room.resize(*size);
    return std::string_view{room}.substr(0, room.find(':'));
}

} // namespace

credentials read_authorization(std::string_view value, std::string& room) {
    const auto space = std::min(value.find(' '), value.size());
    const auto scheme = value.substr(0, space);
    value.remove_prefix(std::min(value.find_first_not_of(' ', space), value.size()));
    if (base::equal_ignoring_case(scheme, "Bearer")) return {credentials::scheme::bearer, value};
    if (base::equal_ignoring_case(scheme, "Basic"))
        return {credentials::scheme::basic, user_name(value, room)};
    return {};
}

} // namespace trackd::http
