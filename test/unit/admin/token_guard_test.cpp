// Who is let in to the admin listener.
#include "admin/token_guard.hpp"
#include "support/catch.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace trackd;
using http::field;
using http::status;

namespace {

using fields = std::vector<std::pair<field, std::string_view>>;

/// What it answers; `ok` where it lets the request in.
status answer(admin::token_guard& guard, const fields& head, std::string_view fetch_site = {}) {
    http::request req;
    for (const auto& [id, value] : head)
        req.headers.push_back({id, {}, value});
    if (!fetch_site.empty()) req.headers.push_back({field::unknown, "Sec-Fetch-Site", fetch_site});
    http::response res;
    return guard.admit_head(req, 0, http::access::known, res) ? status::ok : res.code;
}

const std::string token = "0123456789abcdef";
const std::string bearer = "Bearer " + token;

} // namespace

TEST_CASE("with a token only who shows it is let in", "[admin][token]") {
    admin::token_guard guard{token};
    CHECK(guard.is_on());
    CHECK(answer(guard, {{field::authorization, bearer}}) == status::ok);
    CHECK(answer(guard, {{field::authorization, "Basic MDEyMzQ1Njc4OWFiY2RlZjo="}}) == status::ok);
    CHECK(answer(guard, {}) == status::unauthorized);
    for (const auto* wrong :
         {"Bearer", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdeg",
          "Bearer 0123456789abcdef0", "Basic eDowMTIzNDU2Nzg5YWJjZGVm", "0123456789abcdef"}) {
        CAPTURE(wrong);
        CHECK(answer(guard, {{field::authorization, wrong}}) == status::unauthorized);
    }
}

TEST_CASE("another token holds from the next request on", "[admin][token]") {
    admin::token_guard guard{""};
    CHECK(answer(guard, {}) == status::ok);
    guard.set_token(token);
    CHECK(answer(guard, {}) == status::unauthorized);
    CHECK(answer(guard, {{field::authorization, bearer}}) == status::ok);
    guard.set_token("another-token-of-it");
    CHECK(answer(guard, {{field::authorization, bearer}}) == status::unauthorized);
    guard.set_token("");
    CHECK(answer(guard, {}) == status::ok);
}

TEST_CASE("the web pages of other sites are refused, whatever they show", "[admin][token]") {
    admin::token_guard guard{token};
    const auto of = [&](std::string_view origin, std::string_view fetch_site = {}) {
        return answer(
            guard, {{field::authorization, bearer}, {field::host, "a.example:1"}, {field::origin, origin}},
            fetch_site
        );
    };
    CHECK(of("http://a.example:1") == status::ok);
    CHECK(of("https://A.example:1", "same-origin") == status::ok);
    for (const auto* other :
         {"http://a.example", "http://a.example:2", "http://b.example:1", "null", "a.example:1", "x"}) {
        CAPTURE(other);
        CHECK(of(other) == status::forbidden);
    }
    CHECK(of("http://a.example:1", "cross-site") == status::forbidden);
    CHECK(of("http://a.example:1", "same-site") == status::forbidden);
}

TEST_CASE("a link on another site may lead to a page, and only be followed by somebody", "[admin][token]") {
    admin::token_guard guard{""};
    const auto asked = [&](http::verb method, std::string_view mode, std::string_view destination) {
        http::request req;
        req.method = method;
        req.headers = {
            {field::host, {}, "localhost"},
            {field::unknown, "Sec-Fetch-Site", "cross-site"},
            {field::unknown, "Sec-Fetch-Mode", mode},
            {field::unknown, "Sec-Fetch-Dest", destination}
        };
        http::response res;
        return guard.admit_head(req, 0, http::access::known, res);
    };
    CHECK(asked(http::verb::get, "navigate", "document"));
    CHECK_FALSE(asked(http::verb::post, "navigate", "document"));
    CHECK_FALSE(asked(http::verb::get, "navigate", "iframe"));
    CHECK_FALSE(asked(http::verb::get, "no-cors", "image"));
}

TEST_CASE("without a token the host is called by its address, or localhost", "[admin][token]") {
    admin::token_guard guard{""};
    for (const auto* good :
         {"localhost", "LocalHost:8081", "127.0.0.1", "127.0.0.1:8081", "[::1]", "[::1]:8081", "192.0.2.1:1"
         }) {
        CAPTURE(good);
        CHECK(answer(guard, {{field::host, good}}) == status::ok);
    }
    for (const auto* other :
         {"evil.example", "evil.example:8081", "localhost.evil.example", "127.0.0.1.evil.example", "[evil]",
          "["}) {
        CAPTURE(other);
        CHECK(answer(guard, {{field::host, other}}) == status::forbidden);
    }
    CHECK(answer(guard, {}) == status::ok); // HTTP/1.0, which no browser speaks
}

TEST_CASE("a local secret is taken for the token, where there is one", "[admin][token]") {
    admin::token_guard guard{token};
    const std::string local = "fedcba9876543210";
    const auto shown = "Bearer " + local;
    CHECK(answer(guard, {{field::authorization, shown}}) == status::unauthorized);
    guard.set_local_secret(local);
    CHECK(answer(guard, {{field::authorization, shown}}) == status::ok);
    CHECK(answer(guard, {{field::authorization, bearer}}) == status::ok);
    CHECK(answer(guard, {}) == status::unauthorized);
    CHECK(answer(guard, {{field::authorization, "Bearer "}}) == status::unauthorized);
    guard.set_local_secret("another-secret");
    CHECK(answer(guard, {{field::authorization, shown}}) == status::unauthorized);
    guard.set_local_secret("");
    CHECK(answer(guard, {{field::authorization, "Bearer "}}) == status::unauthorized);
    CHECK(answer(guard, {{field::authorization, bearer}}) == status::ok);
}
