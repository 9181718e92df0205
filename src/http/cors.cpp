// See cors.hpp.
#include "http/cors.hpp"

#include "base/ascii.hpp"

#include <algorithm>

namespace trackd::http {

namespace {

// Answers are not secret: they say nothing but whether events were taken.
constexpr std::string_view exposed = "Retry-After, X-RateLimit-Reset";

constexpr std::string_view seconds_to_remember = "3600";

} // namespace

bool cors_policy::allows(std::string_view origin) const noexcept {
    return std::ranges::any_of(origins, [&](std::string_view one) {
        return one == "*" || base::equal_ignoring_case(one, origin);
    });
}

bool is_preflight(const request& req) noexcept {
    return req.method == verb::options && !req.header(field::origin).empty() &&
           !req.header(field::access_control_request_method).empty() &&
           req.header("WebHook-Request-Origin").empty();
}

void answer_preflight(const request& req, response& res) {
    res.code = status::no_content;
    res.add_header("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    const auto wanted = req.header(field::access_control_request_headers);
    if (!wanted.empty()) res.add_header("Access-Control-Allow-Headers", wanted);
    res.add_header("Access-Control-Max-Age", seconds_to_remember);
}

void add_cors(const cors_policy& policy, const request& req, response& res) {
    if (policy.origins.empty()) return;
    const auto origin = req.header(field::origin);
    if (origin.empty()) return;
    res.add_header("Vary", "Origin"); // also where the answer is no: a cache must not give it to another site
    if (!policy.allows(origin)) return;
    res.add_header("Access-Control-Allow-Origin", origin);
    res.add_header("Access-Control-Allow-Credentials", "true");
    res.add_header("Access-Control-Expose-Headers", exposed);
}

} // namespace trackd::http
