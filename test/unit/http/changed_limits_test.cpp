// Limits that change while connections are open and requests under way; and what is told of connections.
#include "server.hpp"
#include "support/catch.hpp"

#include <string>

using namespace trackd;
using namespace std::chrono_literals;

namespace {

http::options with_body(std::size_t max) {
    http::options limits;
    limits.max_body_bytes = max;
    return limits;
}

http::options with_head(std::size_t max) {
    http::options limits;
    limits.max_head_bytes = max;
    return limits;
}

void use(test::server& server, const http::options& limits, http::cors_policy cors = {}) {
    server.call([&] { server.worker().use(limits, std::move(cors)); });
}

std::string post(std::size_t body_bytes, const std::string& fields = {}) {
    return "POST /events HTTP/1.1\r\nHost: a\r\n" + fields + "Content-Length: " + std::to_string(body_bytes) +
           "\r\n\r\n" + std::string(body_bytes, 'x');
}

std::string get(const std::string& fields = {}) {
    return "GET /healthz HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

} // namespace

TEST_CASE("other limits hold from the next request on, also on a connection that is open", "[http][reload]") {
    test::server server{with_body(100)};
    auto client = server.connect();
    CHECK(client.ask(post(50)).status == 201);
    use(server, with_body(1000));
    CHECK(client.ask(post(1000)).status == 201);
    use(server, with_body(40));
    CHECK(client.ask(post(40)).status == 201);
    CHECK(client.ask(post(50)).status == 413); // its head was seen before
}

TEST_CASE("a request that has begun is read by the limits that it began with", "[http][reload]") {
    test::server server{with_body(100)};
    auto client = server.connect();
    SECTION("of a known size") {
        client.send("POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nx");
        server.await_state("body");
        use(server, with_body(10));
        client.send(std::string(49, 'x'));
    }
    SECTION("in chunks") {
        client.send("POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n");
        server.await_state("body");
        use(server, with_body(10));
        client.send("20\r\n" + std::string(32, 'x') + "\r\n0\r\n\r\n");
    }
    CHECK(client.read()->status == 201);
    CHECK(client.ask(post(20)).status == 413);
}

TEST_CASE("heads may become as large as a larger limit allows, and then small again", "[http][reload]") {
    test::server server{with_head(4096)};
    auto client = server.connect();
    CHECK(client.ask(get()).status == 200);
    use(server, with_head(1024UL * 1024UL));
    CHECK(client.ask(get("X-Long: " + std::string(500'000, 'x') + "\r\n")).status == 200);
    const auto middle = get("X-Long: " + std::string(1500, 'x') + "\r\n");
    CHECK(client.ask(middle).status == 200);
    use(server, with_head(1024));
    CHECK(client.ask(get()).status == 200);
    CHECK(client.ask(middle).status == 431); // though it was found sound before
}

TEST_CASE("a half head keeps its limit while a larger one comes into force", "[http][reload]") {
    test::server server{with_head(4096)};
    auto client = server.connect();
    client.send("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: ");
    server.await_state("head");
    use(server, with_head(1024UL * 1024UL));
    client.send(std::string(100'000, 'x') + "\r\n\r\n");
    CHECK(client.read()->status == 431);
}

TEST_CASE("a timeout that is changed counts from the next wait on", "[http][reload]") {
    test::server server;
    auto client = server.connect();
    CHECK(client.ask(get()).status == 200);
    auto limits = http::options{};
    limits.idle_timeout = 100ms;
    use(server, limits);
    CHECK(client.ask(get()).status == 200);
    CHECK(client.is_closed());
}

TEST_CASE("web pages that may read the answers can change", "[http][reload]") {
    test::server server;
    auto client = server.connect();
    const auto allowed = "Access-Control-Allow-Origin: https://a.example";
    CHECK_FALSE(client.ask(get("Origin: https://a.example\r\n")).has(allowed));
    use(server, {}, {{"https://a.example"}});
    CHECK(client.ask(get("Origin: https://a.example\r\n")).has(allowed));
}

TEST_CASE("more connections may be open once the bound is higher", "[http][reload]") {
    test::server server{{}, 1};
    auto first = server.connect();
    CHECK(first.ask(get()).status == 200);
    auto second = server.connect();
    second.send(get());
    server.call([&] { server.limit().set_bounds(2, 0); });
    CHECK(second.read()->status == 200);
}

TEST_CASE("connections of an address are counted from when they have a bound", "[http][reload]") {
    test::server server;
    auto first = server.connect();
    CHECK(first.ask(get()).status == 200);
    server.call([&] { server.limit().set_bounds(1000, 1); });
    auto second = server.connect();
    CHECK(second.ask(get()).status == 200);
    CHECK(server.connect().is_closed());
    server.call([&] { server.limit().set_bounds(1000, 0); });
    CHECK(server.connect().ask(get()).status == 200);
}

TEST_CASE("a connection tells who it is, and what it has done", "[http]") {
    test::server server;
    auto first = server.connect();
    CHECK(first.ask(get()).status == 200);
    CHECK(first.ask(get()).status == 200);
    auto second = server.connect();
    CHECK(second.ask(get()).status == 200);
    const auto all = server.call([&] { return server.worker().connections(2, true); });
    REQUIRE(all.size() == 2); // the oldest first
    CHECK(all[0].requests == 2);
    CHECK(all[0].bytes_received == 2 * get().size());
    CHECK(all[0].bytes_sent > 0);
    CHECK(all[0].peer.starts_with("127.0.0.1:"));
    CHECK(all[0].peer != all[1].peer);
    CHECK_FALSE(all[0].tls);
    CHECK(all[1].requests == 1);
    CHECK(server.call([&] { return server.worker().connections(); })[0].peer.empty()); // was not asked for
    CHECK(server.call([&] { return server.worker().connections(1); }).size() == 1);
}
