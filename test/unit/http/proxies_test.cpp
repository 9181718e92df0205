// Connections that come through a proxy: whose they are, and as whose they are counted.
#include "http/connection_peer.hpp"
#include "server.hpp"
#include "support/catch.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace trackd;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> us{"127.0.0.1", "10.0.0.0/8"};
const std::vector<std::string> others{"192.0.2.1"};

http::options behind(const std::vector<std::string>& whom, bool proxy_protocol) {
    http::options limits;
    limits.proxies = std::make_shared<const http::proxy_rules>(
        http::proxy_rules{.trusted = http::trusted_proxies{whom}, .proxy_protocol = proxy_protocol}
    );
    return limits;
}

void say_client(http::router& routes) {
    const auto respond = [](const http::request& req, http::response& res) -> http::pending {
        res.text(http::status::ok, req.client != nullptr ? req.client->to_string() : "unknown");
        return {};
    };
    routes.add(http::verb::get, "/client", respond);
    routes.add(http::verb::post, "/client", respond);
}

struct proxied {
    explicit proxied(const http::options& limits, std::size_t max_per_address = 0)
        : server{limits, 1000, say_client, max_per_address} {}

    test::server server;
};

std::string ask(std::string_view path, std::string_view fields = {}) {
    return "GET " + std::string{path} + " HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n";
}

std::string forwarded(std::string_view value) {
    return "X-Forwarded-For: " + std::string{value} + "\r\n";
}

std::string line_for(std::string_view client) {
    return "PROXY TCP4 " + std::string{client} + " 10.0.0.1 4096 80\r\n";
}

const std::string local_header{"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00", 16};

} // namespace

TEST_CASE("nobody looks for a client unless it is wanted", "[http][proxy]") {
    proxied p{{}};
    CHECK(p.server.connect().ask(ask("/client", forwarded("192.0.2.7"))).body == "unknown");
}

TEST_CASE("without trusted proxies the client is the peer", "[http][proxy]") {
    proxied p{behind({}, false)};
    CHECK(p.server.connect().ask(ask("/client")).body == "127.0.0.1");
    CHECK(p.server.connect().ask(ask("/client", forwarded("192.0.2.7"))).body == "127.0.0.1");
}

TEST_CASE("each request of a trusted proxy has its own client", "[http][proxy]") {
    proxied p{behind(us, false)};
    auto client = p.server.connect();
    CHECK(client.ask(ask("/client", forwarded("192.0.2.7"))).body == "192.0.2.7");
    CHECK(client.ask(ask("/client", forwarded("192.0.2.8, 10.0.0.1"))).body == "192.0.2.8");
    CHECK(client.ask(ask("/client")).body == "127.0.0.1");
    CHECK(client.ask(ask("/client", forwarded("unknown"))).body == "127.0.0.1");
}

TEST_CASE("a PROXY header names the client of a connection, wherever it is cut", "[http][proxy]") {
    proxied p{behind(us, true)};
    const auto bytes = line_for("192.0.2.7") + ask("/client", forwarded("203.0.113.9"));
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        auto client = p.server.connect();
        client.send(std::string_view{bytes}.substr(0, cut));
        client.send(std::string_view{bytes}.substr(cut));
        const auto got = client.read();
        if (!got || got->body != "192.0.2.7") FAIL_CHECK("cut at " << cut);
    }
    CHECK(p.server.figures().proxy_failures.value() == 0);
}

TEST_CASE("a proxy behind a proxy is believed if it is trusted, too", "[http][proxy]") {
    proxied p{behind(us, true)};
    auto client = p.server.connect();
    client.send(line_for("10.0.0.9"));
    CHECK(client.ask(ask("/client", forwarded("192.0.2.7"))).body == "192.0.2.7");
}

TEST_CASE("a connection of the proxy's own has the proxy for its client", "[http][proxy]") {
    proxied p{behind(us, true)};
    for (const auto& header : {local_header, std::string{"PROXY UNKNOWN\r\n"}}) {
        auto client = p.server.connect();
        client.send(header);
        CHECK(client.ask(ask("/client")).body == "127.0.0.1");
        CHECK(client.ask(ask("/client", forwarded("192.0.2.7"))).body == "192.0.2.7");
    }
}

TEST_CASE("a client of the proxy's socket file has no address, and is not believed", "[http][proxy]") {
    proxied p{behind(us, true)};
    auto client = p.server.connect();
    client.send(std::string{"\r\n\r\n\0\r\nQUIT\n\x21\x31\x00\xd8", 16} + std::string(216, 'x'));
    CHECK(client.ask(ask("/client", forwarded("192.0.2.7"))).body == "unknown");
}

TEST_CASE("a header comes once, and a second one is no request", "[http][proxy]") {
    proxied p{behind(us, true)};
    CHECK(
        p.server.connect().ask(line_for("192.0.2.7") + line_for("192.0.2.8") + ask("/client")).status == 400
    );
}

TEST_CASE("a trusted proxy without a sound header is closed and counted", "[http][proxy]") {
    proxied p{behind(us, true)};
    std::uint64_t failures = 0;
    for (const auto& bytes :
         {ask("/client"), std::string{"PROXY TCP4 192.0.2.7\r\n"} + ask("/client"),
          std::string{"\x16\x03\x01"}}) {
        auto client = p.server.connect();
        client.send(bytes);
        CHECK_FALSE(client.read());
        CHECK(p.server.figures().proxy_failures.value() == ++failures);
    }
    auto client = p.server.connect();
    client.send("PROXY TCP4 192").shut_down_sending();
    CHECK_FALSE(client.read());
    CHECK(p.server.figures().proxy_failures.value() == ++failures);
    CHECK(p.server.figures().requests.value() == 0);
}

TEST_CASE("a trusted proxy that says nothing in time is closed and counted", "[http][proxy]") {
    for (const auto* some : {"", "PROXY TCP4 192"}) {
        auto limits = behind(us, true);
        limits.head_timeout = 100ms;
        proxied p{limits};
        auto client = p.server.connect();
        client.send(some);
        CHECK(client.is_closed());
        CHECK(p.server.figures().proxy_failures.value() == 1);
    }
}

TEST_CASE("who only looks whether somebody listens is not counted as a failure", "[http][proxy]") {
    proxied p{behind(us, true)};
    auto client = p.server.connect();
    client.shut_down_sending();
    CHECK(client.is_closed());
    CHECK(p.server.figures().proxy_failures.value() == 0);
}

TEST_CASE("an untrusted peer speaks HTTP, and a PROXY header of its is none", "[http][proxy]") {
    proxied p{behind(others, true)};
    CHECK(p.server.connect().ask(ask("/client")).body == "127.0.0.1");
    CHECK(p.server.connect().ask(line_for("192.0.2.7") + ask("/client")).status == 400);
    CHECK(p.server.figures().proxy_failures.value() == 0);
}

TEST_CASE("connections that a PROXY header names are counted under its address", "[http][proxy][limit]") {
    proxied p{behind(us, true), 1};
    auto first = p.server.connect();
    CHECK(first.ask(line_for("192.0.2.7") + ask("/client")).status == 200);
    auto second = p.server.connect();
    second.send(line_for("192.0.2.7") + ask("/client"));
    CHECK_FALSE(second.read());
    CHECK(p.server.limit().turned_away() == 1);
    CHECK(p.server.connect().ask(line_for("192.0.2.8") + ask("/client")).status == 200);
    CHECK(first.ask(ask("/client")).status == 200);
    auto checking = p.server.connect();
    auto too = p.server.connect();
    CHECK(checking.ask(local_header + ask("/client")).status == 200);
    CHECK(too.ask(local_header + ask("/client")).status == 200);
    CHECK(p.server.figures().proxy_failures.value() == 0);
}

TEST_CASE("requests that X-Forwarded-For names are counted while they are served", "[http][proxy][limit]") {
    proxied p{behind(us, false), 1};
    auto slow = p.server.connect();
    slow.send(ask("/gate", forwarded("192.0.2.7")));
    p.server.at_gate.await_arrival();

    auto client = p.server.connect(); // the proxy's next: its connections are not what is counted
    const auto post =
        "POST /client HTTP/1.1\r\nHost: a\r\n" + forwarded("192.0.2.7") + "Content-Length: 4\r\n\r\nbody";
    const auto refused = client.ask(post);
    CHECK(refused.status == 429);
    CHECK(refused.has("Retry-After: 1\r\n"));
    CHECK(refused.has("Content-Type: application/problem+json\r\n"));
    CHECK_FALSE(refused.has("Connection: close"));
    CHECK(refused.body.find("too-many-requests") != std::string::npos);
    CHECK(p.server.limit().turned_away() == 1);
    CHECK(client.ask(ask("/client", forwarded("192.0.2.8"))).body == "192.0.2.8");
    CHECK(client.ask(ask("/client")).body == "127.0.0.1");

    p.server.at_gate.open();
    CHECK(slow.read()->status == 200);
    CHECK(client.ask(post).body == "192.0.2.7");
    CHECK(client.ask(post).status == 200); // one after the other, any number
    CHECK(p.server.limit().turned_away() == 1);
}

TEST_CASE("a request whose connection breaks gives its share back", "[http][proxy][limit]") {
    proxied p{behind(us, false), 1};
    auto broken = p.server.connect();
    broken.send(
        "POST /client HTTP/1.1\r\nHost: a\r\n" + forwarded("192.0.2.7") + "Content-Length: 4\r\n\r\nb"
    );
    p.server.await_state("body");
    auto client = p.server.connect();
    CHECK(client.ask(ask("/client", forwarded("192.0.2.7"))).status == 429);
    broken.reset();
    while (p.server.figures().connections_open() > 1)
        std::this_thread::yield();
    CHECK(client.ask(ask("/client", forwarded("192.0.2.7"))).status == 200);
}

TEST_CASE("a request that is refused for its framing gives its share back", "[http][proxy][limit]") {
    proxied p{behind(us, false), 1};
    auto client = p.server.connect();
    const auto chunked = "POST /client HTTP/1.1\r\nHost: a\r\n" + forwarded("192.0.2.7") +
                         "Transfer-Encoding: chunked\r\n\r\nno chunk\r\n";
    CHECK(client.ask(chunked).status == 400);
    CHECK(p.server.connect().ask(ask("/client", forwarded("192.0.2.7"))).status == 200);
}
