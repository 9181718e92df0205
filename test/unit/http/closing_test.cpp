// How a worker ends: announced, with deadlines, in a hurry.
#include "server.hpp"
#include "support/catch.hpp"

#include <boost/asio/write.hpp>

#include <chrono>
#include <string>

using namespace trackd;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view healthz = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view gate = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view half = "POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf";

} // namespace

TEST_CASE("without connections a worker is joined at once", "[http][closing]") {
    test::server server;
    server.begin_close(1min, 1min);
    CHECK(server.join(1min));
}

TEST_CASE("once closing is announced every answer says so, and is the last", "[http][closing]") {
    test::server server;
    auto before = server.connect();
    CHECK_FALSE(before.ask(healthz).has("Connection: close\r\n"));
    server.announce_close();
    CHECK(before.ask(healthz).has("Connection: close\r\n"));
    CHECK(before.is_closed());
    auto after = server.connect();
    CHECK(after.ask(std::string{healthz} + std::string{healthz}).has("Connection: close\r\n"));
    CHECK(after.is_closed()); // the second is not answered
}

TEST_CASE("an idle connection may send one more request", "[http][closing]") {
    test::server server;
    auto client = server.connect();
    CHECK(client.ask(healthz).status == 200);
    server.begin_close(1min, 1min);
    CHECK_FALSE(server.join(0ms));
    const auto last = client.ask(healthz);
    CHECK(last.status == 200);
    CHECK(last.has("Connection: close\r\n"));
    CHECK(client.is_closed());
    CHECK(server.join(1min));
}

TEST_CASE("an idle connection is closed at its deadline, and lingers only briefly", "[http][closing]") {
    http::options limits;
    limits.linger_timeout = 10min;
    test::server server{limits};
    auto client = server.connect();
    CHECK(client.ask(healthz).status == 200);
    server.begin_close(100ms, 10min);
    CHECK(server.join(1min));
    CHECK(client.is_closed());
}

TEST_CASE("a request that has begun is finished and answered", "[http][closing]") {
    test::server server;
    auto client = server.connect();
    client.send(half);
    server.await_state("body");
    server.begin_close(0ms, 1min);
    const auto last = client.ask("-whole");
    CHECK(last.status == 201);
    CHECK(last.has("Connection: close\r\n"));
    CHECK(client.is_closed());
    CHECK(server.join(1min));
}

TEST_CASE("a request that is not complete at the deadline is answered 503", "[http][closing]") {
    test::server server;
    auto client = server.connect();
    client.send(half);
    server.await_state("body");
    server.begin_close(100ms, 100ms);
    const auto got = client.read();
    REQUIRE(got);
    CHECK(got->status == 503);
    CHECK(got->has("Retry-After: 1\r\n"));
    CHECK(client.is_closed());
    CHECK(server.join(1min));
    CHECK(server.figures().refusals.at(static_cast<std::size_t>(http::refusal::closing)).value() == 1);
}

TEST_CASE("a handler that has not returned is waited for beyond the deadline", "[http][closing]") {
    test::server server;
    auto client = server.connect();
    client.send(gate);
    server.at_gate.await_arrival();
    server.begin_close(0ms, 0ms);
    CHECK_FALSE(server.join(300ms));
    server.at_gate.open();
    CHECK(client.read()->body == "passed");
    CHECK(client.is_closed());
    CHECK(server.join(1min));
}

TEST_CASE("a hurry makes every deadline now", "[http][closing]") {
    test::server server;
    auto idle = server.connect();
    CHECK(idle.ask(healthz).status == 200);
    auto begun = server.connect();
    begun.send(half);
    while (server.figures().bytes_received.value() < healthz.size() + half.size())
        static_cast<void>(server.state());
    server.begin_close(10min, 10min);
    server.hurry();
    CHECK(begun.read()->status == 503);
    CHECK(server.join(1min));
    CHECK(idle.is_closed());
}

TEST_CASE("a client that keeps its side open cannot hold up the end", "[http][closing]") {
    http::options limits;
    limits.linger_timeout = 10min;
    test::server server{limits};
    auto client = server.connect();
    CHECK(client.ask("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").status == 200);
    server.await_state("lingering");
    server.begin_close(10min, 10min);
    CHECK(server.join(1min)); // it is given a second
}

TEST_CASE("a client that does not read is cut off at the deadline", "[http][closing]") {
    test::server server;
    boost::asio::io_context context;
    boost::asio::ip::tcp::socket deaf{context};
    deaf.connect(server.endpoint());
    std::string many;
    for (int i = 0; i < 20; ++i)
        many += "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
    boost::asio::write(deaf, boost::asio::buffer(many));
    server.await_state("writing");
    server.begin_close(100ms, 100ms);
    CHECK(server.join(1min));
}
