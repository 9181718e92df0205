// Large bodies draw from one budget: when it is charged, what is refused, and when it is given back.
#include "http/parser.hpp"
#include "server.hpp"
#include "support/catch.hpp"

#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

using namespace trackd;
using progress = http::parser::progress;

namespace {

constexpr std::size_t mib = 1024U * 1024U;
constexpr std::string_view chunked_head =
    "POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string head(std::size_t length, std::string_view fields = {}) {
    return "POST /events HTTP/1.1\r\nHost: a\r\n" + std::string{fields} +
           "Content-Length: " + std::to_string(length) + "\r\n\r\n";
}

std::string chunk(std::string_view data) {
    char size[20];
    const auto digits = std::snprintf(size, sizeof size, "%zx\r\n", data.size());
    return std::string{size, static_cast<std::size_t>(digits)}.append(data).append("\r\n");
}

struct fixture {
    // As the bytes come: what the parser says of all of them.
    progress feed(std::string_view bytes) {
        auto said = progress::need_more;
        while (!bytes.empty() && said == progress::need_more) {
            const auto room = parser.space();
            const auto part = bytes.substr(0, room.size());
            std::memcpy(room.data(), part.data(), part.size());
            parser.received(part.size());
            bytes.remove_prefix(part.size());
            said = parser.advance();
        }
        return said;
    }

    [[nodiscard]] http::options make_limits() {
        http::options made;
        made.max_body_bytes = mib;
        made.bodies = &bodies;
        return made;
    }

    base::byte_budget bodies{2 * mib};
    http::options limits = make_limits();
    http::head_memo heads;
    http::parser parser{limits, heads};
};

bool is_refusal_for_room(const http::refused& why) {
    return why.code == http::status::service_unavailable && why.slug == "bodies-full" && why.close &&
           why.hit == http::limit::max_bodies_bytes;
}

} // namespace

TEST_CASE_METHOD(
    fixture, "a body that fits into one of a connection's own buffers is not charged", "[http][bodies]"
) {
    const std::string body(30'000, 'x');
    REQUIRE(feed(head(body.size())) == progress::need_more);
    CHECK(bodies.taken() == 0);
    REQUIRE(feed(body) == progress::ready);
    CHECK(bodies.taken() == 0);
    parser.next();
    REQUIRE(feed(std::string{chunked_head} + chunk(body.substr(0, 8'000)) + "0\r\n\r\n") == progress::ready);
    CHECK(bodies.taken() == 0);
}

TEST_CASE_METHOD(
    fixture, "a large body is charged as a whole with its head, and given back", "[http][bodies]"
) {
    REQUIRE(feed(head(mib)) == progress::need_more);
    CHECK(bodies.taken() == mib);
    REQUIRE(feed(std::string(mib, 'x')) == progress::ready);
    CHECK(bodies.taken() == mib);
    parser.next();
    CHECK(bodies.taken() == 0);
}

TEST_CASE_METHOD(fixture, "a body in chunks is charged as it grows, up to the largest", "[http][bodies]") {
    REQUIRE(feed(chunked_head) == progress::need_more);
    const auto data = chunk(std::string(100'000, 'x'));
    for (std::size_t sent = 100'000; sent <= 1'000'000; sent += 100'000) {
        REQUIRE(feed(data) == progress::need_more);
        CHECK(bodies.taken() >= sent);
        CHECK(bodies.taken() <= 2 * sent);
    }
    REQUIRE(feed(chunk(std::string(mib - 1'000'000, 'x'))) == progress::need_more);
    CHECK(bodies.taken() == mib);
    REQUIRE(feed("0\r\n\r\n") == progress::ready);
    parser.next();
    CHECK(bodies.taken() == 0);
}

TEST_CASE_METHOD(
    fixture, "a body without room is refused with its head, and takes nothing", "[http][bodies]"
) {
    REQUIRE(bodies.take(mib + 1));
    REQUIRE(feed(head(mib)) == progress::refused);
    CHECK(is_refusal_for_room(parser.refusal()));
    CHECK(bodies.taken() == mib + 1);
}

TEST_CASE_METHOD(fixture, "a body in chunks is refused where it grows beyond the room", "[http][bodies]") {
    REQUIRE(bodies.take(2 * mib - 300'000));
    REQUIRE(feed(std::string{chunked_head} + chunk(std::string(100'000, 'x'))) == progress::need_more);
    REQUIRE(feed(chunk(std::string(900'000, 'x'))) == progress::refused);
    CHECK(is_refusal_for_room(parser.refusal()));
    parser.next();
    CHECK(bodies.taken() == 2 * mib - 300'000);
}

TEST_CASE_METHOD(fixture, "a connection that ends within a body gives back what it had", "[http][bodies]") {
    REQUIRE(feed(head(mib) + "x") == progress::need_more);
    REQUIRE(bodies.taken() == mib);
    parser.reset();
    CHECK(bodies.taken() == 0);
}

TEST_CASE(
    "a client without room is told 503 before 100 Continue, and the connection closes", "[http][bodies]"
) {
    base::byte_budget bodies{mib};
    http::options limits;
    limits.bodies = &bodies;
    test::server server{limits};
    auto first = server.connect();
    first.send(head(mib, "Expect: 100-continue\r\n"));
    REQUIRE(first.read()->status == 100);
    auto second = server.connect();
    const auto refused = second.ask(head(mib, "Expect: 100-continue\r\n"));
    CHECK(refused.status == 503);
    CHECK(refused.has("Retry-After: 1"));
    CHECK(refused.has("Connection: close"));
    CHECK(second.is_closed());
    CHECK(server.figures().limits.of(http::limit::max_bodies_bytes) == 1);

    auto small = server.connect();
    CHECK(small.ask(head(5) + "small").status == 201);
    first.send(std::string(mib, 'x'));
    CHECK(first.read()->status == 201);
    CHECK(small.ask(head(mib) + std::string(mib, 'x')).status == 201);
    CHECK(bodies.taken() == 0);
}

TEST_CASE("who is kept out by the guard is told so, also where there is no room", "[http][bodies]") {
    struct nobody final : http::guard {
        bool is_on() noexcept override { return true; }

        bool
        admit_head(http::request&, std::optional<std::uint64_t>, http::access, http::response& res) override {
            res.problem(http::status::unauthorized, "unauthorized", "nobody comes in");
            return false;
        }

        bool admit_body(const http::request&, http::response&) override { return true; }
    };

    base::byte_budget bodies{1};
    http::options limits;
    limits.bodies = &bodies;
    test::server server{limits, 10, [](http::router& routes) {
                            routes.set_guard(std::make_shared<nobody>());
                        }};
    CHECK(server.connect().ask(head(mib)).status == 401);
    CHECK(server.figures().limits.of(http::limit::max_bodies_bytes) == 0);
}
