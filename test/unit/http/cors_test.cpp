// What browsers need to hear.
#include "server.hpp"
#include "support/catch.hpp"

#include <string>

using namespace trackd;

namespace {

/// Leaves a trace where a preflight gets through to a handler, and refuses whoever has no X-Pass.
class strict_guard final : public http::guard {
public:
    bool is_on() noexcept override { return true; }

    bool
    admit_head(http::request& req, std::optional<std::uint64_t>, http::access, http::response& res) override {
        if (!req.header("X-Pass").empty()) return true;
        res.problem(http::status::unauthorized, "no-pass", "Expected a pass.");
        return false;
    }

    bool admit_body(const http::request&, http::response&) override { return true; }
};

struct fixture {
    explicit fixture(std::vector<std::string> origins)
        : server{{}, 1000, [&](http::router& routes) {
                     routes.set_cors({std::move(origins)});
                     routes.set_guard(std::make_shared<strict_guard>());
                     routes.add(http::verb::options, "/hook", [](const http::request&, http::response& res) {
                         res.text(http::status::ok, "hook");
                         return http::pending{};
                     });
                 }} {}

    test::answer ask(std::string_view line, std::string_view fields) {
        return server.connect().ask(
            std::string{line} + " HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n"
        );
    }

    test::server server;
};

constexpr std::string_view shop = "Origin: https://shop.example\r\n";
constexpr std::string_view allowed = "Access-Control-Allow-Origin: https://shop.example\r\n";

bool is_readable(const test::answer& got) {
    return got.has(allowed) && got.has("Vary: Origin\r\n") &&
           got.has("Access-Control-Allow-Credentials: true\r\n") &&
           got.has("Access-Control-Expose-Headers: Retry-After, X-RateLimit-Reset\r\n");
}

std::string with_shop(std::string_view fields) {
    return std::string{shop} + std::string{fields};
}

} // namespace

TEST_CASE("every answer to a web page can be read by it", "[http][cors]") {
    fixture f{{"*"}};
    const auto expect = [&](int status, std::string_view line, std::string_view fields) {
        const auto got = f.ask(line, fields);
        INFO(line << ' ' << fields);
        CHECK(got.status == status);
        CHECK(is_readable(got));
    };
    expect(200, "GET /healthz", with_shop("X-Pass: 1\r\n"));
    expect(500, "GET /throw", with_shop("X-Pass: 1\r\n"));
    expect(400, "POST /events", with_shop("X-Pass: 1\r\n"));
    expect(401, "POST /events", with_shop("Content-Length: 9\r\n"));
    expect(404, "GET /nowhere", shop);
    expect(405, "GET /events", shop);
    expect(413, "POST /events", with_shop("Content-Length: 99999999\r\n"));
    expect(400, "POST /events", with_shop("X-Pass: 1\r\nContent-Type: a\r\nContent-Type: b\r\n"));
    expect(417, "POST /events", with_shop("Expect: a-miracle\r\n"));
}

TEST_CASE("a body that breaks off its framing is answered readably, too", "[http][cors]") {
    fixture f{{"*"}};
    auto client = f.server.connect();
    const auto got =
        client.ask("POST /events HTTP/1.1\r\nHost: a\r\nX-Pass: 1\r\nOrigin: https://shop.example\r\n"
                   "Transfer-Encoding: chunked\r\n\r\nno chunk\r\n");
    CHECK(got.status == 400);
    CHECK(is_readable(got));
}

TEST_CASE("who is no web page hears nothing of it", "[http][cors]") {
    fixture f{{"*"}};
    const auto got = f.ask("GET /healthz", "X-Pass: 1\r\n");
    CHECK_FALSE(got.has("Access-Control"));
    CHECK_FALSE(got.has("Vary"));
}

TEST_CASE("the origin of one request is not that of the next", "[http][cors]") {
    fixture f{{"*"}};
    auto client = f.server.connect();
    const auto get = [](std::string_view fields) {
        return "GET /nowhere HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n";
    };
    CHECK(is_readable(client.ask(get(shop))));
    CHECK_FALSE(client.ask(get("")).has("Access-Control"));
    CHECK(is_readable(client.ask(get(shop))));
    const auto broken = client.ask("\x01nonsense\r\n\r\n");
    CHECK(broken.status == 400);
    CHECK_FALSE(broken.has("Access-Control"));
}

TEST_CASE("a preflight is answered without a pass, on any path", "[http][cors]") {
    fixture f{{"*"}};
    for (const auto* path : {"OPTIONS /events", "OPTIONS /hook", "OPTIONS /nowhere"}) {
        const auto got = f.ask(
            path, with_shop("Access-Control-Request-Method: POST\r\n"
                            "Access-Control-Request-Headers: authorization, x-any\r\n")
        );
        INFO(path);
        CHECK(got.status == 204);
        CHECK(is_readable(got));
        CHECK(got.has("Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n"));
        CHECK(got.has("Access-Control-Allow-Headers: authorization, x-any\r\n"));
        CHECK(got.has("Access-Control-Max-Age: 3600\r\n"));
    }
}

TEST_CASE("an OPTIONS that is no preflight goes to its handler", "[http][cors]") {
    fixture f{{"*"}};
    CHECK(f.ask("OPTIONS /hook", "X-Pass: 1\r\n").body == "hook");
    CHECK(f.ask("OPTIONS /hook", with_shop("X-Pass: 1\r\n")).body == "hook");
    CHECK(
        f.ask(
             "OPTIONS /hook", with_shop("X-Pass: 1\r\nAccess-Control-Request-Method: POST\r\n"
                                        "WebHook-Request-Origin: a.example\r\n")
        )
            .body == "hook"
    );
    CHECK(f.ask("OPTIONS /events", "").has("Allow: POST, OPTIONS\r\n"));
}

TEST_CASE("another origin than the allowed ones may not read", "[http][cors]") {
    fixture f{{"https://shop.example", "http://localhost:3000"}};
    CHECK(is_readable(f.ask("GET /nowhere", shop)));
    for (const std::string_view origin : {"http://shop.example", "https://shop.example.evil", "null"}) {
        const auto field = "Origin: " + std::string{origin} + "\r\n";
        const auto got = f.ask("GET /nowhere", field);
        CHECK_FALSE(got.has("Access-Control"));
        CHECK(got.has("Vary: Origin\r\n"));
        const auto preflight = f.ask("OPTIONS /events", field + "Access-Control-Request-Method: POST\r\n");
        CHECK_FALSE(preflight.has("Access-Control"));
    }
}

TEST_CASE("without origins CORS is off", "[http][cors]") {
    fixture f{{}};
    const auto got = f.ask("GET /nowhere", shop);
    CHECK_FALSE(got.has("Access-Control"));
    CHECK_FALSE(got.has("Vary"));
    CHECK(f.ask("OPTIONS /events", with_shop("Access-Control-Request-Method: POST\r\n")).has("Allow: "));
}

TEST_CASE("a preflight counts as no route's, whatever came before it", "[http][cors]") {
    test::server server{{}, 1000, [](http::router& routes) { routes.set_cors({{"*"}}); }};
    auto client = server.connect();
    client.send("POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
                "OPTIONS /events HTTP/1.1\r\nHost: a\r\nOrigin: https://a\r\n"
                "Access-Control-Request-Method: POST\r\n\r\n");
    CHECK(client.read()->status == 201);
    CHECK(client.read()->status == 204);
    server.figures().answers.each([](std::string_view route, unsigned status, std::uint64_t) {
        CHECK((route == "none") == (status == 204));
    });
}
