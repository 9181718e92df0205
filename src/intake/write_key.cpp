#include "intake/write_key.hpp"

#include "base/ascii.hpp"
#include "intake/decode.hpp"
#include "intake/query.hpp"
#include "intake/text.hpp"

namespace trackd::intake {

namespace {

/// What stands behind the scheme's name; empty if it is another scheme.
std::string_view credentials(std::string_view authorization, std::string_view scheme) noexcept {
    const bool same = authorization.size() > scheme.size() && authorization[scheme.size()] == ' ' &&
                      base::equal_ignoring_case(authorization.substr(0, scheme.size()), scheme);
    return same ? trimmed(authorization.substr(scheme.size())) : std::string_view{};
}

std::string_view user_name(std::string_view basic, std::string& memory) {
    memory.resize(basic.size());
    const auto size = decode_base64(basic, memory.data());
    if (!size) return {};
    memory.resize(*size);
    const std::string_view text{memory};
    return text.substr(0, text.find(':'));
}

} // namespace

std::string_view
find_write_key(const http::request& req, const write_keys_in_body& in_body, std::string& memory) {
    const auto authorization = req.header(http::field::authorization);
    if (const auto name = user_name(credentials(authorization, "Basic"), memory); !name.empty()) return name;
    if (!in_body.top.empty()) return in_body.top;
    if (!in_body.item.empty()) return in_body.item;
    if (const auto sent = find_parameter(req.query, "writeKey"); sent && !sent->empty()) {
        memory = decode_form(*sent);
        return memory;
    }
    if (const auto key = req.header("X-Write-Key"); !key.empty()) return key;
    return credentials(authorization, "Bearer");
}

} // namespace trackd::intake
