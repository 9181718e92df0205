#include "admin/dashboard.hpp"

#include "base/base64.hpp"
#include "base/sha256.hpp"

#include <stdexcept>
#include <string>

namespace trackd::admin {

namespace {

// What stands between the tags of the only element of this name, as Content-Security-Policy names it.
std::string hash_of(std::string_view element, std::string_view page) {
    const auto opening = "<" + std::string{element} + ">";
    const auto closing = "</" + std::string{element} + ">";
    const auto begin = page.find(opening);
    const auto end = page.find(closing);
    if (begin == page.npos || end == page.npos || end < begin)
        throw std::invalid_argument{"the page has no element " + opening};
    const auto text = page.substr(begin + opening.size(), end - begin - opening.size());
    const auto digest = base::sha256(text);
    std::string bytes(digest.begin(), digest.end());
    std::string hash{"'sha256-"};
    base::append_base64(hash, bytes);
    return hash + "'";
}

} // namespace

std::string content_security_policy(std::string_view page) {
    return "default-src 'none'; script-src " + hash_of("script", page) + "; style-src " +
           hash_of("style", page) +
           "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

void add_dashboard_route(http::router& routes) {
    routes.add(http::verb::get, "/", [](const http::request&, http::response& res) -> http::pending {
        res.content_type = "text/html; charset=utf-8";
        // Not before somebody asks: the first hash takes 2 MiB of OpenSSL into memory.
        res.add_header("Content-Security-Policy", content_security_policy(dashboard_page));
        res.add_header("X-Content-Type-Options", "nosniff");
        res.add_header("Referrer-Policy", "no-referrer");
        res.add_header("Cache-Control", "no-cache");
        res.body = dashboard_page;
        return {};
    });
}

} // namespace trackd::admin
