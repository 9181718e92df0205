// Answers whose body comes bit by bit.
#include "server.hpp"
#include "support/catch.hpp"

#include <future>
#include <memory>
#include <string>
#include <utility>

using namespace trackd;
using namespace std::chrono_literals;

namespace {

// What the test says to whoever gets /stream. Used on the server's thread.
struct script {
    std::string text;
    bool ended = false;
    std::function<void()> news;
    int pulls = 0;
    std::promise<void> begun;
    std::promise<void> gone;
};

class scripted final : public http::body_source {
public:
    explicit scripted(script& from) : from_{from} {}

    ~scripted() override {
        from_.news = nullptr;
        from_.gone.set_value();
    }

    void begin(std::function<void()> news) override {
        from_.news = std::move(news);
        from_.begun.set_value();
    }

    bool pull(std::string& out) override {
        ++from_.pulls;
        out += std::exchange(from_.text, {});
        return !from_.ended;
    }

private:
    script& from_;
};

constexpr auto ask = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n";

struct streaming_server {
    explicit streaming_server(const http::options& limits = {})
        : server{
              limits, 1000,
              [this](http::router& routes) {
                  routes.add(http::verb::get, "/stream", [this](const http::request&, http::response& res) {
                      res.content_type = "text/event-stream";
                      return http::pending{std::make_unique<scripted>(said)};
                  });
              }
          } {}

    void say(std::string_view text) {
        server.call([&] {
            said.text += text;
            said.news();
        });
    }

    void end() {
        server.call([this] {
            said.ended = true;
            said.news();
        });
    }

    void await_begin() { said.begun.get_future().get(); }

    void await_gone() { gone.wait(); }

    script said;
    std::shared_future<void> gone = said.gone.get_future().share();
    test::server server;
};

} // namespace

TEST_CASE(
    "a streamed answer has no length, comes as it is said, and ends with the connection", "[http][stream]"
) {
    streaming_server at;
    auto client = at.server.connect();
    client.send(ask);
    const auto head = client.read_until("\r\n\r\n");
    CHECK(head.find("HTTP/1.1 200 OK\r\n") == 0);
    CHECK(head.find("Connection: close\r\n") != head.npos);
    CHECK(head.find("Content-Length") == head.npos);
    at.say("one\n");
    CHECK(client.read_until("one\n") == "one\n");
    at.say("two\n");
    CHECK(client.read_until("two\n") == "two\n");
    CHECK(at.server.state() == "streaming");
    at.end();
    CHECK(client.is_closed());
    at.await_gone();
}

TEST_CASE("what is there at once comes with the head", "[http][stream]") {
    streaming_server at;
    at.said.text = "first\n";
    at.said.ended = true;
    auto client = at.server.connect();
    client.send(ask);
    CHECK(client.read_until("first\n").find("HTTP/1.1 200 OK") == 0);
    CHECK(client.is_closed());
    CHECK(at.server.figures().answers.of(200) == 1);
}

TEST_CASE("a client that goes away ends its streamed answer", "[http][stream]") {
    const bool by_reset = GENERATE(false, true);
    streaming_server at;
    auto client = at.server.connect();
    client.send(ask);
    at.await_begin();
    if (by_reset)
        client.reset();
    else
        client.shut_down_sending();
    at.await_gone();
    CHECK(at.server.connect().ask("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").status == 200);
}

TEST_CASE("what a client says to a streamed answer is not heard", "[http][stream]") {
    streaming_server at;
    auto client = at.server.connect();
    client.send(ask);
    at.await_begin();
    client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    at.say("still here");
    CHECK(client.read_until("still here").find("ok\n") == std::string::npos);
    CHECK(at.server.figures().requests.value() == 1);
}

TEST_CASE("a client that says too much to a streamed answer is cut off", "[http][stream]") {
    http::options limits;
    limits.max_linger_bytes = 1000;
    streaming_server at{limits};
    auto client = at.server.connect();
    client.send(ask);
    at.await_begin();
    client.send(std::string(100'000, 'x'));
    at.await_gone();
}

TEST_CASE("from a client that does not read nothing more is pulled", "[http][stream]") {
    streaming_server at;
    auto client = at.server.connect();
    client.send(ask);
    at.await_begin();
    at.say(std::string(64U << 20U, 'x')); // more than any socket takes
    at.server.await_state("writing");
    const auto pulls = at.server.call([&] { return at.said.pulls; });
    at.say("more");
    CHECK(at.server.call([&] { return at.said.pulls; }) == pulls);
}

TEST_CASE("a client that does not read is cut off", "[http][stream]") {
    http::options limits;
    limits.write_timeout = 200ms;
    streaming_server at{limits};
    auto client = at.server.connect();
    client.send(ask);
    at.await_begin();
    at.say(std::string(64U << 20U, 'x'));
    at.await_gone();
}

TEST_CASE("a client that reads late gets all of it", "[http][stream]") {
    streaming_server at;
    auto client = at.server.connect();
    client.send(ask);
    at.await_begin();
    constexpr std::size_t much = 16U << 20U;
    at.say(std::string(much, 'x'));
    at.server.await_state("writing");
    at.say("the end");
    const auto all = client.read_until("the end");
    CHECK(all.size() - all.find("\r\n\r\n") == 4 + much + 7);
}

TEST_CASE("a client that reads slowly has its time anew whenever it takes some", "[http][stream]") {
    http::options limits;
    limits.write_timeout = 1h;
    streaming_server at{limits};
    auto client = at.server.connect();
    client.send(ask);
    at.await_begin();
    constexpr int lines = 64;
    const auto line = std::string(1U << 20U, 'x') + '\n';
    std::string much;
    for (int i = 0; i < lines; ++i)
        much += line;
    at.say(much);
    at.server.await_state("writing");
    const auto look = [&] { return at.server.call([&] { return at.server.worker().connections().at(0); }); };
    while (look().in_state < 300ms) {
    }
    CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 OK"));
    bool is_anew = false;
    for (int i = 0; i < lines && !is_anew; ++i) {
        const auto before = look();
        CHECK(client.read_until("\n") == line);
        const auto after = look();
        is_anew = after.state == "writing" && after.in_state < before.in_state;
    }
    CHECK(is_anew);
}

TEST_CASE("HEAD gets the head of a streamed answer", "[http][stream]") {
    streaming_server at;
    auto client = at.server.connect();
    client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(client.read_until("\r\n\r\n").find("text/event-stream") != std::string::npos);
    CHECK(client.is_closed());
    at.await_gone();
}

TEST_CASE("closing ends a streamed answer, after what was said before", "[http][stream]") {
    streaming_server at;
    auto client = at.server.connect();
    client.send(ask);
    at.await_begin();
    at.say("last words");
    at.server.begin_close(0ms, 0ms);
    CHECK(client.read_until("last words").ends_with("last words"));
    CHECK(client.is_closed());
    CHECK(at.server.join(1min));
}

TEST_CASE("news in the moment in which a streamed answer is cut off is not heard", "[http][stream]") {
    streaming_server at;
    auto client = at.server.connect();
    client.send(ask);
    at.await_begin();
    const std::function<void()> always =
        [&] { // so that some comes between the deadline and what is done at it
            if (!at.said.news) return;
            at.said.news();
            boost::asio::post(at.server.worker().executor(), always);
        };
    at.server.call(always);
    at.server.begin_close(0ms, 0ms);
    at.await_gone();
    CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 OK"));
    CHECK(client.is_closed());
    CHECK(at.server.join(1min));
}
