// One connection at a time, over a real socket.
#include "server.hpp"
#include "support/catch.hpp"

#include <boost/asio/write.hpp>

#include <map>
#include <string>
#include <vector>

using namespace trackd;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view healthz = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

std::string get(std::string_view path, std::string_view fields = {}) {
    return "GET " + std::string{path} + " HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n";
}

std::string post(std::string_view path, std::string_view body, std::string_view fields = {}) {
    return "POST " + std::string{path} + " HTTP/1.1\r\nHost: a\r\n" + std::string{fields} +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

std::uint64_t refusals(const test::server& server, http::refusal reason) {
    return server.figures().refusals.at(static_cast<std::size_t>(reason)).value();
}

} // namespace

TEST_CASE("a connection serves many requests, and counts them", "[http][connection]") {
    test::server server;
    auto client = server.connect();
    for (int i = 0; i < 100; ++i)
        CHECK(client.ask(post("/events", "{}")).status == 201);
    CHECK(server.figures().requests.value() == 100);
    CHECK(server.figures().answers.of(201) == 100);
    CHECK(server.figures().connections_open() == 1);
    CHECK(server.state() == "idle");
}

TEST_CASE("answers are counted by route and status, also those that no handler gave", "[http][connection]") {
    test::server server;
    auto client = server.connect();
    client.send(post("/events", "{}") + post("/events", "") + get("/nowhere") + get("/healthz"));
    for (int i = 0; i < 4; ++i)
        CHECK(client.read());
    client.send("OPTIONS");
    client.send(" nonsense\r\n\r\n");
    CHECK(client.read()->status == 400);
    std::map<std::string, std::uint64_t> counted;
    server.figures().answers.each([&](std::string_view route, unsigned status, std::uint64_t count) {
        counted[std::string{route} + " " + std::to_string(status)] = count;
    });
    CHECK(
        counted ==
        std::map<std::string, std::uint64_t>{
            {"/events 201", 1}, {"/events 400", 1}, {"/healthz 200", 1}, {"none 404", 1}, {"none 400", 1}
        }
    );
}

TEST_CASE("an answer has Date, type and length, and does not close", "[http][connection]") {
    test::server server;
    const auto got = server.connect().ask(healthz);
    CHECK(got.status == 200);
    CHECK(got.has("Date: "));
    CHECK(got.has("Content-Type: text/plain; charset=utf-8\r\n"));
    CHECK(got.has("Content-Length: 3\r\n"));
    CHECK_FALSE(got.has("Connection"));
    CHECK(got.body == "ok\n");
}

TEST_CASE("two pipelined requests are answered in order, wherever they are cut", "[http][connection]") {
    test::server server;
    const auto bytes = post("/echo", "one") + post("/echo", "two");
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        auto client = server.connect();
        client.send(std::string_view{bytes}.substr(0, cut));
        client.send(std::string_view{bytes}.substr(cut));
        const auto one = client.read();
        const auto two = client.read();
        const bool right = one && two && one->body == "one" && two->body == "two";
        if (!right) FAIL_CHECK("cut at " << cut);
    }
}

TEST_CASE("a handler that waits keeps its place among pipelined requests", "[http][connection]") {
    test::server server;
    auto client = server.connect();
    client.send(std::string{healthz} + get("/gate") + post("/echo", "after"));
    CHECK(client.read()->body == "ok\n"); // does not wait for its successors
    server.at_gate.await_arrival();
    CHECK(server.state() == "handling");
    server.at_gate.open();
    CHECK(client.read()->body == "passed");
    CHECK(client.read()->body == "after");
}

TEST_CASE("a large body goes and comes whole", "[http][connection]") {
    test::server server;
    auto client = server.connect();
    std::string body;
    for (int i = 0; body.size() < 3'000'000; ++i)
        body += std::to_string(i);
    CHECK(client.ask(post("/echo", body)).body == body);
    CHECK(client.ask(post("/echo", "small")).body == "small");
}

TEST_CASE("HEAD gets the length and no body", "[http][connection]") {
    test::server server;
    auto client = server.connect();
    client.send("HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n").send(healthz);
    const auto head = client.read(true);
    REQUIRE(head);
    CHECK(head->has("Content-Length: 524288\r\n"));
    CHECK(client.read()->body == "ok\n");
}

TEST_CASE("what has no handler is answered, and the connection goes on", "[http][connection]") {
    test::server server;
    auto client = server.connect();
    CHECK(client.ask(get("/nowhere")).status == 404);
    const auto wrong_method = client.ask(get("/events"));
    CHECK(wrong_method.status == 405);
    CHECK(wrong_method.has("Allow: POST, OPTIONS\r\n"));
    CHECK(client.ask("OPTIONS /events HTTP/1.1\r\nHost: a\r\n\r\n").status == 204);
    CHECK(client.ask("FROB /events HTTP/1.1\r\nHost: a\r\n\r\n").status == 501);
    CHECK(client.ask(healthz).status == 200);
}

TEST_CASE("a handler that throws gives 500, is counted, and the next request works", "[http][connection]") {
    test::server server;
    auto client = server.connect();
    for (const auto* path : {"/throw", "/throw-later"}) {
        const auto got = client.ask(get(path));
        CHECK(got.status == 500);
        CHECK(got.has("application/problem+json"));
        CHECK(got.body.find("at once") == std::string::npos);
    }
    CHECK(server.figures().handler_errors.value() == 2);
    CHECK(client.ask(healthz).status == 200);
}

TEST_CASE("100 Continue is sent before the body, where the body is wanted", "[http][connection]") {
    test::server server;
    auto client = server.connect();
    const auto asking = post("/echo", "body", "Expect: 100-continue\r\n");
    const auto head = asking.substr(0, asking.size() - 4);
    CHECK(client.ask(head).status == 100);
    CHECK(client.ask("body").body == "body");
}

TEST_CASE("100 Continue is sent also where the same head came without a body before", "[http][connection]") {
    test::server server;
    auto client = server.connect();
    CHECK(client.ask(post("/echo", "", "Expect: 100-continue\r\n")).status == 200);
    const auto asking = post("/echo", "body", "Expect: 100-continue\r\n");
    CHECK(client.ask(asking.substr(0, asking.size() - 4)).status == 100);
    CHECK(client.ask("body").body == "body");
}

TEST_CASE("a body that nobody wants is refused before it is sent", "[http][connection]") {
    test::server server;
    const std::string fields = " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ";
    for (const auto& [head, expected] : {
             std::pair{"POST /nowhere" + fields + "5\r\n\r\n", 404},
             std::pair{"POST /healthz" + fields + "5\r\n\r\n", 405},
             std::pair{"POST /events" + fields + "5000000\r\n\r\n", 413},
         }) {
        auto client = server.connect();
        const auto got = client.ask(head);
        CHECK(got.status == expected);
        CHECK(got.has("Connection: close\r\n"));
        CHECK(client.is_closed());
    }
}

TEST_CASE("an expectation that we do not know is 417", "[http][connection]") {
    test::server server;
    CHECK(server.connect().ask(post("/events", "{}", "Expect: miracles\r\n")).status == 417);
    CHECK(refusals(server, http::refusal::expectation) == 1);
}

TEST_CASE("a client may close after its answer", "[http][connection]") {
    test::server server;
    auto client = server.connect();
    const auto got = client.ask(get("/healthz", "Connection: close\r\n"));
    CHECK(got.has("Connection: close\r\n"));
    CHECK(client.is_closed());
}

TEST_CASE("HTTP/1.0 closes unless it is asked not to", "[http][connection]") {
    test::server server;
    auto closing = server.connect();
    CHECK(closing.ask("GET /healthz HTTP/1.0\r\n\r\n").has("Connection: close\r\n"));
    CHECK(closing.is_closed());
    auto staying = server.connect();
    const std::string asking = "GET /healthz HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
    CHECK(staying.ask(asking).has("Connection: keep-alive\r\n"));
    CHECK(staying.ask(asking).status == 200);
}

TEST_CASE("a client that only reads on still gets its answer", "[http][connection]") {
    test::server server;
    auto client = server.connect();
    client.send(get("/gate")).shut_down_sending();
    server.at_gate.await_arrival();
    server.at_gate.open();
    CHECK(client.read()->body == "passed");
    CHECK(client.is_closed());
}

TEST_CASE("a client that goes away while its request is handled does no harm", "[http][connection]") {
    test::server server;
    auto client = server.connect();
    client.send(get("/gate"));
    server.at_gate.await_arrival();
    client.reset();
    server.at_gate.open();
    server.await_state("");
    CHECK(server.connect().ask(healthz).status == 200);
}

TEST_CASE("a refused client that sends on still reads why", "[http][connection]") {
    test::server server;
    auto client = server.connect();
    client.send(post("/events", "", "Host: twice\r\n")).send(std::string(50'000, 'x'));
    CHECK(client.read()->status == 400);
    CHECK(client.is_closed());
    CHECK(refusals(server, http::refusal::malformed) == 1);
}

TEST_CASE("a client that never stops sending after its last answer is cut off", "[http][connection]") {
    http::options limits;
    limits.linger_timeout = 1min;
    test::server server{limits};
    auto client = server.connect();
    client.send(get("/healthz", "Connection: close\r\n")).send(std::string(10'000'000, 'x'));
    server.await_state("");
    CHECK(client.read()->status == 200);
}

TEST_CASE("a client that does not close its side is closed when its time is over", "[http][connection]") {
    http::options limits;
    limits.linger_timeout = 100ms;
    test::server server{limits};
    auto client = server.connect();
    CHECK(client.ask(get("/healthz", "Connection: close\r\n")).status == 200);
    server.await_state("");
    CHECK(client.is_closed());
}

TEST_CASE("an idle connection is closed silently", "[http][timeout]") {
    http::options limits;
    SECTION("before its first request") {
        limits.head_timeout = 100ms;
    }
    SECTION("between two") {
        limits.idle_timeout = 100ms;
    }
    test::server server{limits};
    auto client = server.connect();
    if (limits.idle_timeout == 100ms) CHECK(client.ask(healthz).status == 200);
    CHECK(client.is_closed());
}

TEST_CASE("half a head is answered 408, however slowly it comes", "[http][timeout]") {
    http::options limits;
    limits.head_timeout = 500ms;
    test::server server{limits};
    auto client = server.connect();
    CHECK(client.ask(healthz).status == 200);
    client.send("GET /hea");
    server.await_state("head");
    for (int i = 0; i < 20; ++i)
        client.send("l"); // does not win time
    CHECK(client.read()->status == 408);
    CHECK(client.is_closed());
    CHECK(refusals(server, http::refusal::timeout) == 1);
}

TEST_CASE("a body has a time limit", "[http][timeout]") {
    http::options limits;
    limits.body_timeout = 200ms;
    limits.body_grace = 100ms;
    limits.min_body_rate = 0;
    test::server server{limits};
    auto client = server.connect();
    CHECK(client.ask("POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nbegun").status == 408);
    CHECK(client.is_closed());
}

TEST_CASE("a body that is too slow is given up long before its time limit", "[http][timeout]") {
    http::options limits;
    limits.body_timeout = 10min;
    limits.body_grace = 200ms;
    test::server server{limits};
    auto client = server.connect();
    CHECK(client.ask("POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nslow").status == 408);
}

TEST_CASE(
    "a client that does not read gets no more requests read, and is cut off in the end", "[http][timeout]"
) {
    http::options limits;
    limits.write_timeout = 300ms;
    test::server server{limits};
    auto client = server.connect();
    std::string many;
    for (int i = 0; i < 100; ++i)
        many += get("/large");
    boost::asio::io_context context;
    boost::asio::ip::tcp::socket deaf{context};
    deaf.connect(server.endpoint());
    boost::asio::write(deaf, boost::asio::buffer(many));
    while (server.figures().connections_closed.value() == 0)
        static_cast<void>(server.state());
    CHECK(server.figures().requests.value() < 100);
    CHECK(client.ask(healthz).status == 200);
}

TEST_CASE("a client that reads late gets all its answers", "[http][connection]") {
    test::server server;
    auto client = server.connect();
    std::string many;
    for (int i = 0; i < 50; ++i)
        many += get("/large");
    client.send(many);
    for (int i = 0; i < 50; ++i)
        CHECK(client.read()->body.size() == 524'288);
}

TEST_CASE("connections can be listed by state", "[http][connection]") {
    test::server server;
    auto client = server.connect();
    client.send("POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    server.await_state("body");
    CHECK(client.ask("-done.").status == 201);
    CHECK(server.state() == "idle");
}

TEST_CASE("bytes are counted both ways", "[http][connection]") {
    test::server server;
    auto client = server.connect();
    const auto got = client.ask(healthz);
    CHECK(server.state() == "idle"); // it has counted by then
    CHECK(server.figures().bytes_received.value() == healthz.size());
    CHECK(server.figures().bytes_sent.value() == got.head.size() + 2 + got.body.size());
}
