#include "intake/webhook_handshake.hpp"

namespace trackd::intake {

void answer_options(const http::request& req, http::response& res) {
    const auto origin = req.header("WebHook-Request-Origin");
    if (origin.empty()) {
        res.code = http::status::no_content;
        res.add_header("Allow", "POST, OPTIONS");
        return;
    }
    res.code = http::status::ok;
    res.add_header("Allow", "POST");
    res.add_header("WebHook-Allowed-Origin", origin);
    res.add_header("WebHook-Allowed-Rate", "*");
}

} // namespace trackd::intake
