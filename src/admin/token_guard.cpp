#include "admin/token_guard.hpp"

#include "base/ascii.hpp"
#include "http/authorization.hpp"
#include "http/client_address.hpp"

namespace trackd::admin {

namespace {

using http::field;
using http::status;

/// @param host as in the field `Host`: with a port or without, IPv6 in brackets
std::string_view name_in(std::string_view host) noexcept {
    if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
    return host.substr(0, host.find(':'));
}

bool is_of_this_machine(std::string_view host) {
    const auto name = name_in(host);
    return base::equal_ignoring_case(name, "localhost") || http::parse_address(name).has_value();
}

/// Whether somebody has followed a link to a page of ours: that changes nothing, and shows the other site nothing.
bool follows_link(const http::request& req) noexcept {
    return req.method == http::verb::get && req.header("Sec-Fetch-Mode") == "navigate" &&
           req.header("Sec-Fetch-Dest") == "document";
}

/// Whether it comes from no web page, or from one of this listener.
bool is_of_this_site(const http::request& req) noexcept {
    const auto site = req.header("Sec-Fetch-Site");
    if (!site.empty() && site != "same-origin" && site != "none" && !follows_link(req)) return false;
    const auto origin = req.header(field::origin);
    if (origin.empty()) return true;
    constexpr std::string_view scheme_end = "://";
    const auto end = origin.find(scheme_end);
    return end != std::string_view::npos &&
           base::equal_ignoring_case(origin.substr(end + scheme_end.size()), req.header(field::host));
}

} // namespace

void token_guard::set_token(std::string_view token) {
    token_.reset();
    if (!token.empty()) token_ = base::sha256(token);
}

void token_guard::set_local_secret(std::string_view secret) {
    local_secret_.reset();
    if (!secret.empty()) local_secret_ = base::sha256(secret);
}

bool token_guard::knows_token(const http::request& req) {
    const auto shown = http::read_authorization(req.header(field::authorization), room_);
    const auto digest = base::sha256(shown.key);
    return base::same_in_constant_time(digest, *token_) ||
           (local_secret_ && base::same_in_constant_time(digest, *local_secret_));
}

bool token_guard::admit_head(
    http::request& req, std::optional<std::uint64_t> /*body_bytes*/, http::access /*wanted*/,
    http::response& res
) {
    if (!is_of_this_site(req)) {
        res.problem(
            status::forbidden, "other-site",
            "This is the request of another site's web page, and nothing here is for those."
        );
        return false;
    }
    if (token_ && !knows_token(req)) {
        res.add_header("WWW-Authenticate", R"(Bearer realm="trackd")");
        res.add_header("WWW-Authenticate", R"(Basic realm="trackd")");
        res.problem(
            status::unauthorized, "unauthorized",
            "Expected admin.token of the configuration: Authorization: Bearer TOKEN, or the token as the "
            "user "
            "name of Authorization: Basic."
        );
        return false;
    }
    const auto host = req.header(field::host);
    if (!token_ && !host.empty() && !is_of_this_machine(host)) {
        res.problem(
            status::forbidden, "unknown-host",
            "Without admin.token this listener has to be called localhost, or by its address, in the field "
            "Host."
        );
        return false;
    }
    return true;
}

} // namespace trackd::admin
