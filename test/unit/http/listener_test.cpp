#include "server.hpp"
#include "support/catch.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/thread_pool.hpp>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

using namespace trackd;
using namespace trackd::http;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view healthz = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

std::string message_of(std::string_view address) {
    boost::asio::io_context context;
    connection_limit limit{context.get_executor(), 1};
    try {
        const listener one{context, address, {}, limit};
    } catch (const std::exception& error) {
        return error.what();
    }
    return {};
}

} // namespace

TEST_CASE("addresses to listen on are read", "[http][listener]") {
    const auto text = [](std::string_view from) {
        const auto read = parse_listen(from);
        return read.endpoint.address().to_string() + " " + std::to_string(read.endpoint.port()) +
               (read.all_interfaces ? " all" : "");
    };
    CHECK(text("127.0.0.1:8080") == "127.0.0.1 8080");
    CHECK(text("0.0.0.0:0") == "0.0.0.0 0");
    CHECK(text("[::1]:65535") == "::1 65535");
    CHECK(text("localhost:80") == "127.0.0.1 80");
    CHECK(text("*:80") == ":: 80 all");
    CHECK(text("[::]:80") == ":: 80 all");
}

TEST_CASE("what is no address to listen on is refused with an example", "[http][listener]") {
    for (const auto* bad :
         {"", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x",
          "::1:80", "[::1]", "[127.0.0.1]:80", "example.org:80", "127.1:80 "}) {
        INFO(bad);
        CHECK_THROWS_AS(parse_listen(bad), std::invalid_argument);
    }
    CHECK(message_of("nonsense").find("127.0.0.1:8080") != std::string::npos);
}

TEST_CASE("a port in use and a foreign address are said in one line", "[http][listener]") {
    const test::server server;
    const auto taken = "127.0.0.1:" + std::to_string(server.endpoint().port());
    CHECK(message_of(taken) == "cannot listen on " + taken + ": Address already in use");
    CHECK(message_of("192.0.2.1:80") == "cannot listen on 192.0.2.1:80: Cannot assign requested address");
}

TEST_CASE("all interfaces means IPv4 at least", "[http][listener]") {
    boost::asio::io_context context;
    connection_limit limit{context.get_executor(), 1};
    const listener all{context, "*:0", {}, limit};
    boost::asio::ip::tcp::socket socket{context};
    socket.connect({boost::asio::ip::address_v4::loopback(), all.local_endpoint().port()});
    SUCCEED();
}

TEST_CASE("a closing listener hands over who already waits in its queue", "[http][listener]") {
    boost::asio::io_context context;
    connection_limit limit{context.get_executor(), 1}; // fewer than wait: they are served all the same
    router routes;
    routes.add(verb::get, "/healthz", [](const request&, response& res) -> pending {
        res.text(status::ok, "ok");
        return {};
    });
    worker serving{context, options{}, std::move(routes)};
    listener one{context, "127.0.0.1:0", {&serving}, limit};
    std::vector<std::unique_ptr<test::client>> clients;
    for (int i = 0; i < 50; ++i) {
        clients.push_back(std::make_unique<test::client>(one.local_endpoint()));
        clients.back()->send(healthz);
    }
    one.close();
    auto accepting = boost::asio::co_spawn(context, one.run(), boost::asio::use_future);
    context.poll();
    accepting.get();
    CHECK(serving.figures().connections_accepted.value() == 50);
    for (const auto& client : clients)
        CHECK(client->read()->status == 200);
    CHECK(limit.in_use() == 50);
    clients.clear();
    auto joined = boost::asio::co_spawn(context, serving.join(), boost::asio::use_future);
    context.run();
    CHECK(joined.get());
    CHECK(limit.in_use() == 0);
}

TEST_CASE("connections are dealt to the workers in turn", "[http][listener]") {
    boost::asio::io_context context;
    boost::asio::thread_pool threads{2};
    connection_limit limit{context.get_executor(), 100};
    std::array<boost::asio::io_context, 2> contexts;
    std::vector<boost::asio::executor_work_guard<executor_type>> guards;
    std::vector<std::unique_ptr<worker>> workers;
    for (auto& each : contexts) {
        guards.emplace_back(each.get_executor());
        workers.push_back(std::make_unique<worker>(each, options{}, router{}));
        boost::asio::post(threads, [&each] { each.run(); });
    }
    listener one{context, "127.0.0.1:0", {workers[0].get(), workers[1].get()}, limit};
    auto accepting = boost::asio::co_spawn(context, one.run(), boost::asio::use_future);
    std::thread main([&context] { context.run(); });
    {
        std::vector<std::unique_ptr<test::client>> clients;
        for (int i = 0; i < 10; ++i) {
            clients.push_back(std::make_unique<test::client>(one.local_endpoint()));
            CHECK(clients.back()->ask(healthz).status == 404);
        }
        for (const auto& each : workers)
            CHECK(each->figures().connections_accepted.value() == 5);
    }
    boost::asio::post(context, [&one] { one.close(); });
    accepting.get();
    for (const auto& each : workers) {
        CHECK(boost::asio::co_spawn(each->executor(), each->join(), boost::asio::use_future).get());
    }
    guards.clear();
    threads.join();
    main.join();
    CHECK(limit.in_use() == 0);
}

TEST_CASE("after closing nobody can connect", "[http][listener]") {
    test::server server;
    CHECK(server.connect().ask(healthz).status == 200);
    server.close_listener();
    CHECK_THROWS(server.connect());
}

TEST_CASE("at the limit new connections wait for one to end", "[http][listener]") {
    test::server server{{}, 2};
    auto one = server.connect();
    auto two = server.connect();
    CHECK(one.ask(healthz).status == 200);
    CHECK(two.ask(healthz).status == 200);
    auto three = server.connect();
    three.send(healthz);
    CHECK(one.ask(healthz).status == 200);
    CHECK(server.limit().in_use() == 2);
    CHECK(server.figures().connections_accepted.value() == 2);
    one.shut_down_sending();
    CHECK(three.read()->status == 200);
}

TEST_CASE("without descriptors it waits, and serves again when there are some", "[http][listener]") {
    test::server server;
    auto waiting = server.connect(); // its own descriptors exist already
    CHECK(waiting.ask(healthz).status == 200);
    boost::asio::io_context context;
    boost::asio::ip::tcp::socket late{context};
    late.open(boost::asio::ip::tcp::v4());

    rlimit normal{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &normal) == 0);
    const int highest = ::dup(0);
    ::close(highest);
    const rlimit none{static_cast<rlim_t>(highest), normal.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    late.connect(server.endpoint());
    CHECK(waiting.ask(healthz).status == 200); // those who are connected do not notice
    CHECK(server.figures().connections_accepted.value() == 1);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &normal) == 0);
    while (server.figures().connections_accepted.value() < 2)
        static_cast<void>(server.state());
    SUCCEED();
}

TEST_CASE("a listener that breaks says so to its owner", "[http][listener]") {
    boost::asio::io_context context;
    connection_limit limit{context.get_executor(), 10};
    worker serving{context, options{}, router{}};
    auto one = std::make_unique<listener>(context, "127.0.0.1:0", std::vector<worker*>{&serving}, limit);
    auto accepting = boost::asio::co_spawn(context, one->run(), boost::asio::use_future);
    context.poll();
    const test::client client{one->local_endpoint()};
    ::shutdown(one->native_handle(), SHUT_RDWR); // now accept fails with EINVAL
    context.run();
    CHECK_THROWS_AS(accepting.get(), boost::system::system_error);
}
