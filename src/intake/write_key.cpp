#include "intake/write_key.hpp"

#include "http/authorization.hpp"
#include "http/query.hpp"

namespace trackd::intake {

std::string_view find_write_key(const http::request& req, std::string_view in_body, std::string& memory) {
    const auto shown = http::read_authorization(req.header(http::field::authorization), memory);
    if (shown.by == http::credentials::scheme::basic && !shown.key.empty()) return shown.key;
    if (!in_body.empty()) return in_body;
    if (const auto sent = http::find_parameter(req.query, "writeKey"); sent && !sent->empty()) {
        memory = http::decode_form(*sent);
        return memory;
    }
    if (const auto key = req.header("X-Write-Key"); !key.empty()) return key;
    return shown.key; // a bearer's, if there is one
}

} // namespace trackd::intake
