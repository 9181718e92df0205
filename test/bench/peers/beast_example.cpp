// A tracker as one writes it after Boost.Beast's examples: a coroutine a connection, 201, and then a thread pool that
// writes the event into a file. Prints its port, and serves until it is killed. To compare with only: it loses what the
// pool has not written when it ends.
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

namespace {

struct tracker {
    asio::thread_pool pool{1};
    std::shared_ptr<spdlog::logger> file;

    void record(std::string event) {
        asio::post(pool, [this, event = std::move(event)] { file->info(event); });
    }
};

asio::awaitable<void> serve(beast::tcp_stream stream, tracker& events) {
    beast::flat_buffer buffer;
    try {
        for (;;) {
            stream.expires_after(std::chrono::seconds{30});
            http::request<http::string_body> request;
            co_await http::async_read(stream, buffer, request, asio::use_awaitable);
            http::response<http::string_body> response{http::status::created, request.version()};
            response.set(http::field::server, BOOST_BEAST_VERSION_STRING);
            response.set(http::field::content_type, "application/json");
            response.keep_alive(request.keep_alive());
            response.body() = R"({"accepted":1})";
            response.prepare_payload();
            co_await http::async_write(stream, response, asio::use_awaitable);
            events.record(std::move(request.body()));
            if (!response.keep_alive()) break;
        }
    } catch (const boost::system::system_error&) { // the client has gone
    }
}

asio::awaitable<void> listen(tracker& events) {
    tcp::acceptor listener{co_await asio::this_coro::executor, {asio::ip::address_v4::loopback(), 0}};
    std::printf("%d\n", listener.local_endpoint().port());
    std::fflush(stdout);
    for (;;) {
        auto client = co_await listener.async_accept(asio::use_awaitable);
        client.set_option(tcp::no_delay{true});
        asio::co_spawn(
            listener.get_executor(), serve(beast::tcp_stream{std::move(client)}, events), asio::detached
        );
    }
}

} // namespace

// beast_example FILE
int main(int count, char** words) try {
    tracker events;
    events.file = spdlog::basic_logger_mt("events", count > 1 ? words[1] : "events.log", true);
    asio::io_context context{1};
    asio::co_spawn(context, listen(events), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    context.run();
    return 0;
} catch (const std::exception& why) {

    std::fprintf(stderr, "beast_example: %s\n", why.what());
    return 1;
}
