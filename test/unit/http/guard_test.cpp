// The guard is asked as soon as a head is sound, and before anything of the body is waited for.
#include "server.hpp"
#include "support/catch.hpp"

#include <stdexcept>
#include <string>
#include <vector>

using namespace trackd;

namespace {

/// Lets in who says `X-Pass`, unless it is told not to be there.
class fake_guard final : public http::guard {
public:
    bool is_on() noexcept override { return on; }

    bool admit_head(
        http::request& req, std::optional<std::uint64_t> body_bytes, http::access wanted, http::response& res
    ) override {
        const auto pass = req.header("X-Pass");
        asked.push_back(std::string{req.path} + (body_bytes ? ' ' + std::to_string(*body_bytes) : " ?"));
        if (pass == "throw") throw std::runtime_error("a guard that fails");
        if (pass.empty() && wanted == http::access::late) return true;
        if (pass.empty()) {
            res.problem(http::status::unauthorized, "no-pass", "Expected a pass.");
            res.add_header("X-Reason", "pass");
            return false;
        }
        req.caller = std::make_shared<const std::string>(pass);
        return true;
    }

    bool admit_body(const http::request& req, http::response& res) override {
        if (req.body.size() <= 5) return true;
        res.problem(http::status::too_many_requests, "too-much", "Expected less.");
        return false;
    }

    bool on = true;
    std::vector<std::string> asked;
};

struct fixture {
    std::shared_ptr<fake_guard> guard = std::make_shared<fake_guard>();
    test::server server{{}, 1000, [this](http::router& routes) {
                            routes.set_guard(guard);
                            const auto say_caller = [](const http::request& req, http::response& res) {
                                const auto* who = static_cast<const std::string*>(req.caller.get());
                                res.text(http::status::ok, who ? *who : "nobody");
                                return http::pending{};
                            };
                            routes.add(http::verb::post, "/who", say_caller);
                            routes.add(http::verb::post, "/late", say_caller, http::access::late);
                            routes.add(http::verb::post, "/open", say_caller, http::access::open);
                        }};
};

std::string post(std::string_view path, std::string_view body, std::string_view fields = {}) {
    return "POST " + std::string{path} + " HTTP/1.1\r\nHost: a\r\n" + std::string{fields} +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

std::string chunked(std::string_view path, std::string_view chunks, std::string_view fields = {}) {
    return "POST " + std::string{path} + " HTTP/1.1\r\nHost: a\r\n" + std::string{fields} +
           "Transfer-Encoding: chunked\r\n\r\n" + std::string{chunks};
}

constexpr std::string_view pass = "X-Pass: me\r\n";

} // namespace

TEST_CASE("who is let in is known to the handler", "[http][guard]") {
    fixture f;
    auto client = f.server.connect();
    CHECK(client.ask(post("/who", "x", pass)).body == "me");
    CHECK(client.ask(post("/late", "x", pass)).body == "me");
    CHECK(client.ask(post("/late", "x")).body == "nobody"); // and not the one before
    CHECK(client.ask(post("/open", "x", pass)).body == "nobody");
    CHECK(f.guard->asked == std::vector<std::string>{"/who 1", "/late 1", "/late 1"});
}

TEST_CASE("who is not let in is answered before the body comes, and the connection closes", "[http][guard]") {
    fixture f;
    for (const std::string_view head :
         {"POST /who HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n",
          "POST /who HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nsome of it",
          "POST /who HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n",
          "POST /who HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
          "POST /who HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
          "POST /who HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n",
          "POST /who HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"}) {
        INFO(head);
        auto client = f.server.connect();
        client.send(head);
        const auto got = client.read();
        REQUIRE(got);
        CHECK(got->status == 401);
        CHECK(got->has("Connection: close\r\n"));
        CHECK(got->has("X-Reason: pass\r\n"));
        CHECK(client.is_closed());
    }
    CHECK(f.server.figures().requests.value() == 0);
    CHECK(f.server.figures().refusals.at(static_cast<std::size_t>(http::refusal::not_admitted)).value() == 7);
}

TEST_CASE("a refusal is the same wherever the request is cut", "[http][guard]") {
    fixture f;
    const auto bytes = post("/who", "body") + post("/who", "never read", pass);
    for (std::size_t cut = 1; cut <= bytes.size(); ++cut) {
        auto client = f.server.connect();
        client.send(std::string_view{bytes}.substr(0, cut));
        client.send(std::string_view{bytes}.substr(cut));
        const auto got = client.read();
        const bool right = got && got->status == 401 && got->has("Connection: close\r\n") && !client.read();
        if (!right) FAIL_CHECK("cut at " << cut);
    }
}

TEST_CASE("a refused request without a body leaves the connection open", "[http][guard]") {
    fixture f;
    auto client = f.server.connect();
    const auto got = client.ask(post("/who", ""));
    CHECK(got.status == 401);
    CHECK_FALSE(got.has("Connection: close"));
    const auto next = client.ask(post("/who", "x", pass));
    CHECK(next.body == "me");
    CHECK_FALSE(next.has("X-Reason"));
}

TEST_CASE("who is let in gets 100 Continue after it", "[http][guard]") {
    fixture f;
    auto client = f.server.connect();
    client.send(
        "POST /who HTTP/1.1\r\nHost: a\r\nX-Pass: me\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    );
    CHECK(client.read()->status == 100);
    CHECK(client.ask("ab").body == "me");
    CHECK(f.guard->asked.size() == 1);
}

TEST_CASE("a body without a size is judged when it is whole", "[http][guard]") {
    fixture f;
    auto client = f.server.connect();
    CHECK(client.ask(chunked("/who", "5\r\nabcde\r\n0\r\n\r\n", pass)).body == "me");
    const auto large = client.ask(chunked("/who", "6\r\nabcdef\r\n0\r\n\r\n", pass));
    CHECK(large.status == 429);
    CHECK_FALSE(large.has("Connection: close")); // all of it was read
    CHECK(client.ask(chunked("/open", "6\r\nabcdef\r\n0\r\n\r\n")).body == "nobody");
    CHECK(client.ask(chunked("/late", "6\r\nabcdef\r\n0\r\n\r\n")).body == "nobody");
    CHECK(f.guard->asked == std::vector<std::string>{"/who ?", "/who ?", "/late ?"});
}

TEST_CASE("what has no handler, or no sound head, does not come to the guard", "[http][guard]") {
    fixture f;
    auto client = f.server.connect();
    CHECK(client.ask(post("/nowhere", "x")).status == 404);
    CHECK(client.ask("GET /who HTTP/1.1\r\nHost: a\r\n\r\n").status == 405);
    CHECK(client.ask(post("/who", "x", "X-Api-Key: 1\r\nX-Api-Key: 2\r\n")).status == 400);
    CHECK(client.ask(post("/who", "x", "Content-Length: 1\r\n")).status == 400);
    CHECK(f.guard->asked.empty());
}

TEST_CASE("a guard that is off is not asked", "[http][guard]") {
    fixture f;
    f.server.call([&] { f.guard->on = false; });
    CHECK(f.server.connect().ask(post("/who", "x")).body == "nobody");
    CHECK(f.guard->asked.empty());
}

TEST_CASE("a guard that throws lets nobody in", "[http][guard]") {
    fixture f;
    const auto got = f.server.connect().ask(post("/who", "x", "X-Pass: throw\r\n"));
    CHECK(got.status == 500);
    CHECK(f.server.figures().handler_errors.value() == 1);
    CHECK(f.server.connect().ask(post("/who", "x", pass)).body == "me");
}
