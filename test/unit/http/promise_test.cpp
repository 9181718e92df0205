// Answers that wait for a promise to be kept.
#include "server.hpp"
#include "support/catch.hpp"

#include <semaphore>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace trackd {

using namespace std::chrono_literals;

namespace {

// Gives its word to whoever posts to /promise, and keeps it when the test says so.
class giver final : public http::promiser {
public:
    void when_kept(boost::asio::any_completion_handler<void(boost::system::error_code)> handler) override {
        waiting_.emplace_back(std::move(handler)); // Boost 1.81 cannot assign one
        asked_.release();
    }

    void apologise(boost::system::error_code broken, http::response& res) override {
        if (throws) throw std::runtime_error{"no words for it"};
        res.unavailable("broken", broken.message(), 3s);
    }

    /// Waits until it is asked, and then settles it.
    void settle(test::server& on, boost::system::error_code broken = {}) {
        await();
        settle_now(on, broken);
    }

    void settle_now(test::server& on, boost::system::error_code broken = {}) {
        on.call([&] {
            auto handlers = std::exchange(waiting_, {}); // it may ask again
            std::move(handlers.at(0))(broken);
        });
    }

    void await() { asked_.acquire(); }

    bool throws = false;

private:
    std::vector<boost::asio::any_completion_handler<void(boost::system::error_code)>> waiting_;
    std::counting_semaphore<> asked_{0};
};

const auto broken = make_error_code(boost::system::errc::no_space_on_device);

constexpr std::size_t much = std::size_t{512} * 1024;

void speak_tersely(
    const http::request& asked, http::response& res, http::status what, std::string_view slug,
    std::string_view
) {
    res.text(what, std::string{asked.path}.append(": ").append(slug));
}

void add_routes(http::router& routes, giver& word) {
    const auto promise = [&word](const http::request&, http::response& res) -> http::pending {
        res.json(http::status::created, "{}");
        return word;
    };
    const auto refuse = [](const http::request&, http::response& res) -> http::pending {
        res.problem(http::status::bad_request, "refused", "");
        return {};
    };
    const auto send_much = [](const http::request&, http::response& res) -> http::pending {
        res.text(http::status::ok, std::string(much, 'm'));
        return {};
    };
    routes.add(http::verb::post, "/promise", promise);
    routes.add(http::verb::get, "/promise", promise);
    routes.add(http::verb::post, "/terse", promise, http::access::known, speak_tersely);
    routes.add(http::verb::post, "/refusal", refuse, http::access::known, speak_tersely);
    routes.add(http::verb::post, "/much", send_much);
    routes.set_cors({.origins = {"https://shop.example"}});
}

struct promising_server {
    explicit promising_server(const http::options& limits = {})
        : server{limits, 1000, [this](http::router& routes) { add_routes(routes, word); }} {}

    giver word;
    test::server server;
    test::client client = server.connect();
};

std::string post(std::string_view path, std::string_view fields = "", std::string_view version = "1.1") {
    std::string text{"POST "};
    text.append(path).append(" HTTP/").append(version).append("\r\nHost: a\r\nContent-Length: 2\r\n");
    return text.append(fields).append("\r\n{}");
}

} // namespace

TEST_CASE("an answer that waits for a promise comes when it is kept", "[http][promise]") {
    promising_server at;
    at.client.send(post("/promise"));
    at.word.await();
    CHECK(at.server.state() == "handling");
    at.client.send(post("/events")); // whose answer would come first, if it did not wait
    at.word.settle_now(at.server);
    CHECK(at.client.read()->body == "{}");
    CHECK(at.client.read()->body == "2");
}

TEST_CASE("a connection goes on after a promise that was kept, again and again", "[http][promise]") {
    promising_server at;
    for (int i = 0; i < 3; ++i) {
        at.client.send(post("/promise"));
        at.word.settle(at.server);
        const auto answer = at.client.read();
        REQUIRE(answer);
        CHECK(answer->status == 201);
        CHECK(answer->has("Content-Type: application/json\r\n"));
        CHECK(answer->has("Date: "));
        CHECK_FALSE(answer->has("Connection:"));
    }
    CHECK(at.client.ask(post("/events")).status == 201);
}

TEST_CASE("a promise that is broken becomes an apology, and the connection goes on", "[http][promise]") {
    promising_server at;
    at.client.send(post("/promise"));
    at.word.settle(at.server, broken);
    const auto answer = at.client.read();
    CHECK(answer->status == 503);
    CHECK(answer->has("Retry-After: 3\r\n"));
    CHECK(answer->body.find(broken.message()) != std::string::npos);
    CHECK(at.client.ask(post("/events")).status == 201);
}

TEST_CASE("an apology that fails is a failure of the server", "[http][promise]") {
    promising_server at;
    at.word.throws = true;
    at.client.send(post("/promise"));
    at.word.settle(at.server, broken);
    CHECK(at.client.read()->status == 500);
    CHECK(at.client.ask(post("/events")).status == 201);
}

TEST_CASE("an apology is said as the route says errors", "[http][promise]") {
    promising_server at;
    at.client.send(post("/terse"));
    at.word.settle(at.server, broken);
    CHECK(at.client.read()->body == "/terse: broken");
}

TEST_CASE("an apology is said plainly, whatever others have asked meanwhile", "[http][promise]") {
    promising_server at;
    at.word.throws = GENERATE(false, true);
    at.client.send(post("/promise"));
    at.word.await();
    auto other = at.server.connect();
    CHECK(other.ask(post("/refusal")).body == "/refusal: refused");
    at.word.settle_now(at.server, broken);
    const auto answer = at.client.read();
    CHECK(answer->status == (at.word.throws ? 500 : 503));
    CHECK(answer->has("Content-Type: application/problem+json\r\n"));
}

TEST_CASE("who does not read keeps a promise waiting, and gets everything in the end", "[http][promise]") {
    http::options limits;
    limits.max_waiting_answer_bytes = std::size_t{1}
                                      << 30U; // so that what is in front of the promise waits, too
    promising_server at{limits};
    constexpr int before = 50;
    std::string many;
    for (int i = 0; i < before; ++i)
        many += post("/much");
    at.client.send(many + post("/promise") + post("/events"));
    at.word.await();
    CHECK(at.server.state() == "handling");
    at.word.settle_now(at.server);
    for (int i = 0; i < before; ++i)
        CHECK(at.client.read()->body.size() == much);
    CHECK(at.client.read()->body == "{}");
    CHECK(at.client.read()->body == "2");
}

TEST_CASE("requests and answers are counted once, whether a promise is kept or not", "[http][promise]") {
    promising_server at;
    at.client.send(post("/promise"));
    at.word.settle(at.server);
    CHECK(at.client.read()->status == 201);
    at.client.send(post("/promise"));
    at.word.settle(at.server, broken);
    CHECK(at.client.read()->status == 503);
    CHECK(at.server.figures().requests.value() == 2);
    CHECK(at.server.figures().answers.of(201) == 1);
    CHECK(at.server.figures().answers.of(503) == 1);
    at.server.figures().answers.each([](std::string_view route, unsigned, std::uint64_t) {
        CHECK(route == "/promise"); // though the exchange was given back meanwhile
    });
}

TEST_CASE(
    "a connection that is closed after its answer is so where a promise was broken", "[http][promise]"
) {
    promising_server at;
    at.client.send(post("/promise", "Connection: close\r\n"));
    at.word.settle(at.server, broken);
    CHECK(at.client.read()->has("Connection: close\r\n"));
    CHECK(at.client.is_closed());
}

TEST_CASE("a client that has closed its side gets what was promised", "[http][promise]") {
    promising_server at;
    at.client.send(post("/promise")).shut_down_sending();
    at.word.settle(at.server);
    CHECK(at.client.read()->status == 201);
    CHECK(at.client.is_closed());
}

TEST_CASE("promises keep their place among pipelined requests", "[http][promise]") {
    promising_server at;
    at.client.send(post("/events") + post("/promise") + post("/echo") + post("/promise"));
    CHECK(at.client.read()->body == "2");
    at.word.settle(at.server, broken);
    CHECK(at.client.read()->status == 503);
    CHECK(at.client.read()->body == "{}");
    at.word.settle(at.server);
    CHECK(at.client.read()->status == 201);
}

TEST_CASE("a script of another site reads what was promised to it", "[http][promise]") {
    promising_server at;
    for (const auto& outcome : {boost::system::error_code{}, broken}) {
        at.client.send(post("/promise", "Origin: https://shop.example\r\n"));
        at.word.settle(at.server, outcome);
        const auto answer = at.client.read();
        CHECK(answer->status == (outcome ? 503 : 201));
        CHECK(answer->has("Access-Control-Allow-Origin: https://shop.example\r\n"));
    }
}

TEST_CASE("HEAD and HTTP/1.0 get their forms of an answer that was promised", "[http][promise]") {
    promising_server at;
    at.client.send("HEAD /promise HTTP/1.1\r\nHost: a\r\n\r\n");
    at.word.settle(at.server);
    const auto head = at.client.read(true);
    CHECK(head->has("Content-Length: 2\r\n"));
    at.client.send(post("/promise", "Connection: keep-alive\r\n", "1.0"));
    at.word.settle(at.server);
    CHECK(at.client.read()->has("Connection: keep-alive\r\n"));
    at.client.send(post("/promise", "Connection: close\r\n"));
    at.word.settle(at.server);
    CHECK(at.client.read()->has("Connection: close\r\n"));
    CHECK(at.client.is_closed());
}

TEST_CASE("an answer that was made before closing was announced says so all the same", "[http][promise]") {
    promising_server at;
    const auto outcome = GENERATE(false, true);
    at.client.send(post("/promise"));
    at.word.await();
    at.server.announce_close();
    at.word.settle_now(at.server, outcome ? broken : boost::system::error_code{});
    const auto answer = at.client.read();
    CHECK(answer->status == (outcome ? 503 : 201));
    CHECK(answer->has("Connection: close\r\n"));
    CHECK(at.client.is_closed());
}

TEST_CASE("a promise is waited for beyond the deadline of closing", "[http][promise]") {
    promising_server at;
    at.client.send(post("/promise"));
    at.word.await();
    at.server.begin_close(0ms, 0ms);
    CHECK_FALSE(at.server.join(300ms));
    at.word.settle_now(at.server);
    CHECK(at.client.read()->status == 201);
    CHECK(at.server.join(1min));
}

TEST_CASE("a client that goes away before a promise is kept does no harm", "[http][promise]") {
    promising_server at;
    at.client.send(post("/promise"));
    at.word.await();
    at.client.reset();
    at.word.settle_now(at.server);
    auto other = at.server.connect();
    CHECK(other.ask(post("/events")).status == 201);
}

} // namespace trackd
