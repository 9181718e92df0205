#include "intake/client_answers.hpp"

#include "base/ascii.hpp"
#include "base/json_text.hpp"

#include <algorithm>
#include <string>

namespace trackd::intake {

namespace {

using http::status;

status status_for(status what) noexcept {
    switch (what) {
    case status::unauthorized:
    case status::forbidden:
    case status::not_found:
    case status::method_not_allowed:
    case status::request_timeout:
    case status::too_many_requests:
    case status::internal_server_error:
    case status::service_unavailable: return what;
    default: return status::bad_request;
    }
}

std::string_view words_for(status what, std::string_view slug, std::string_view detail) noexcept {
    if (slug == "empty-body") return "request body is nil";
    if (slug == "invalid-json" || slug == "unexpected-json") return "invalid json";
    if (slug == "empty-batch") return "empty batch payload";
    if (slug == "no-user") return "request neither has anonymousId nor userId";
    if (slug == "invalid-event") return "event is not a valid rudder event";
    switch (what) {
    case status::unauthorized:
    case status::forbidden: return "invalid write key";
    case status::payload_too_large: return "request size exceeds max limit";
    case status::too_many_requests: return "max requests limit reached";
    case status::service_unavailable: return "service unavailable";
    default: return detail;
    }
}

} // namespace

bool names_rudderstack(const http::request& req) noexcept {
    constexpr std::string_view name = "rudder";
    return !std::ranges::search(req.header(http::field::user_agent), name, {}, base::to_lower).empty();
}

void say_to_segment(
    const http::request& asked, http::response& res, status what, std::string_view slug,
    std::string_view detail
) {
    if (names_rudderstack(asked)) return say_to_rudderstack(asked, res, what, slug, detail);
    std::string code{what == status::payload_too_large ? "payload-too-large" : slug};
    std::ranges::replace(code, '-', '_');
    std::string text;
    base::append_json_string(text, detail);
    res.json(status_for(what), R"({"success":false,"code":")");
    res.body.append(code).append(R"(","message":)").append(text);
    res.body.append(R"(,"error":")").append(code).append(R"(","error_description":)").append(text);
    res.body.append(R"(,"detail":)").append(text).append("}");
}

void say_to_rudderstack(
    const http::request&, http::response& res, status what, std::string_view slug, std::string_view detail
) {
    res.text(what == status::payload_too_large ? what : status_for(what), words_for(what, slug, detail));
    res.body += '\n';
}

} // namespace trackd::intake
