// A route's form of errors holds for whoever answers, from the moment that the route is known.
#include "server.hpp"
#include "support/catch.hpp"

#include <stdexcept>
#include <string>

using namespace trackd;

namespace {

void say_tersely(
    const http::request& asked, http::response& res, http::status what, std::string_view slug,
    std::string_view
) {
    res.text(what == http::status::payload_too_large ? http::status::bad_request : what, slug);
    res.body.append(" at ").append(asked.path);
}

class closed_guard final : public http::guard {
public:
    bool is_on() noexcept override { return true; }

    bool
    admit_head(http::request& req, std::optional<std::uint64_t>, http::access, http::response& res) override {
        if (req.header("X-Pass") == "throw") throw std::runtime_error("a guard that fails");
        req.caller = std::make_shared<const int>(0);
        if (!req.header("X-Pass").empty()) return true;
        res.add_header("X-Reason", "pass");
        res.problem(http::status::unauthorized, "no-pass", "Expected a pass.");
        return false;
    }

    bool admit_body(const http::request& req, http::response& res) override {
        if (req.body.size() <= 5) return true;
        res.problem(http::status::too_many_requests, "too-much", "Expected less.");
        return false;
    }
};

http::options small() {
    http::options limits;
    limits.max_body_bytes = 1024;
    return limits;
}

struct fixture {
    test::server server{small(), 1000, [](http::router& routes) {
                            routes.set_guard(std::make_shared<closed_guard>());
                            const auto fail = [](const http::request&, http::response& res) -> http::pending {
                                res.add_header("X-Half", "done");
                                throw std::runtime_error("a handler that fails");
                            };
                            routes.add(http::verb::post, "/terse", fail, http::access::known, say_tersely);
                            routes.add(http::verb::post, "/open", fail, http::access::open, say_tersely);
                            routes.add(http::verb::post, "/plain", fail, http::access::open);
                        }};
};

std::string post(std::string_view path, std::string_view fields, std::string_view body = {}) {
    return "POST " + std::string{path} + " HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n" +
           std::string{body};
}

void check_terse(const test::answer& got, int status, std::string_view body) {
    CHECK(got.status == status);
    CHECK(got.body == body);
    CHECK(got.has("Content-Type: text/plain"));
}

} // namespace

TEST_CASE(
    "errors of HTTP, the guard and a handler that fails are said in the route's form", "[http][errors]"
) {
    const fixture f;
    const auto ask = [&](const std::string& bytes) { return f.server.connect().ask(bytes); };
    check_terse(ask(post("/terse", "Content-Length: 9999\r\n")), 400, "body-too-large at /terse");
    check_terse(
        ask(post("/terse", "X-Pass: a\r\nTransfer-Encoding: chunked\r\n", "9999\r\n")), 400,
        "body-too-large at /terse"
    );
    check_terse(ask(post("/terse", "Content-Length: 0\r\n")), 401, "no-pass at /terse");
    check_terse(
        ask(post("/terse", "X-Pass: a\r\nTransfer-Encoding: chunked\r\n", "6\r\nabcdef\r\n0\r\n\r\n")), 429,
        "too-much at /terse"
    );
    check_terse(ask(post("/terse", "Expect: a-miracle\r\n")), 417, "unknown-expectation at /terse");
    check_terse(ask(post("/terse", "X-Pass: throw\r\n")), 500, "internal-error at /terse");
    const auto failed = ask(post("/open", "Content-Length: 0\r\n"));
    check_terse(failed, 500, "internal-error at /open");
    CHECK_FALSE(failed.has("X-Half"));
}

TEST_CASE(
    "what has no form of its own is answered as RFC 9457 has it, whatever came before", "[http][errors]"
) {
    const fixture f;
    auto client = f.server.connect();
    for (const auto& [bytes, status] : {
             std::pair{post("/plain", "Content-Length: 0\r\n"), 500},
             std::pair{post("/nowhere", "Content-Length: 0\r\n"), 404},
             std::pair{std::string{"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n"}, 405},
             std::pair{std::string{"POST /terse#x HTTP/1.1\r\nHost: a\r\n\r\n"}, 400}, // closes
         }) {
        INFO(bytes);
        check_terse(client.ask(post("/open", "Content-Length: 0\r\n")), 500, "internal-error at /open");
        const auto got = client.ask(bytes);
        CHECK(got.status == status);
        CHECK(got.has("Content-Type: application/problem+json\r\n"));
    }
}

TEST_CASE("a request whose head is not there in time has no route", "[http][errors]") {
    http::options limits;
    limits.head_timeout = std::chrono::milliseconds{100};
    const test::server server{limits, 1000, [](http::router& routes) {
                                  routes.add(
                                      http::verb::post, "/open",
                                      [](const http::request&, http::response& res) -> http::pending {
                                          res.problem(http::status::bad_request, "bad", "");
                                          return {};
                                      },
                                      http::access::open, say_tersely
                                  );
                              }};
    auto client = server.connect();
    client.send(post("/open", "Content-Length: 0\r\n") + "POST /open HTTP/1.1\r\n");
    check_terse(*client.read(), 400, "bad at /open");
    const auto late = client.read();
    REQUIRE(late);
    CHECK(late->status == 408);
    CHECK(late->has("Content-Type: application/problem+json\r\n"));
}
