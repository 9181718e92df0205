// A server of one's own with a tracker inside: each line that a client sends is an event, answered "ok" once it is
// tracked. SIGTERM closes the listener, drains, and reports. One client at a time. Usage: line_server PORT
#include <trackd/tracker.hpp>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <iostream>

namespace asio = boost::asio;
using asio::ip::tcp;

// Where the events end up: anything that can be written to.
struct print_sink final : trackd::sink {
    trackd::write_result write(std::span<const trackd::event_view> events, std::stop_token) override {
        for (const auto& event : events) std::cout << event.id << ": " << event.data << std::endl;
        return {events.size(), 0};
    }
};

asio::awaitable<void> serve(tcp::socket client, trackd::tracker& tracker, int& last_id) {
    std::string input;
    boost::system::error_code gone;
    while (const auto size = co_await asio::async_read_until(
               client, asio::dynamic_buffer(input, 1000), '\n', asio::redirect_error(asio::use_awaitable, gone)
           )) {
        const auto id = std::to_string(++last_id);
        trackd::event_view event;
        event.id = id;
        event.type = "line";
        event.data = std::string_view{input}.substr(0, size - 1);
        event.kind = trackd::data_kind::text;
        trackd::batch events;
        events.append(event);
        const auto refused = co_await tracker.track(std::move(events));
        const auto answer = refused ? refused.message() + "\n" : "ok\n";
        co_await asio::async_write(client, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, gone));
        input.erase(0, size);
    }
}

asio::awaitable<void> accept_clients(tcp::acceptor& listener, trackd::tracker& tracker) {
    for (int last_id = 0;;) {
        auto client = co_await listener.async_accept(asio::use_awaitable);
        co_await serve(std::move(client), tracker, last_id);
    }
}

asio::awaitable<void> run(unsigned short port) {
    using namespace asio::experimental::awaitable_operators;
    const auto executor = co_await asio::this_coro::executor;
    std::vector<trackd::sink_spec> sinks(1);
    sinks[0].name = "print";
    sinks[0].sink = std::make_unique<print_sink>();
    trackd::tracker tracker{executor, {}, trackd::make_memory_backlog(), std::move(sinks)};
    tracker.start();
    asio::signal_set signals{executor, SIGTERM, SIGINT};
    tcp::acceptor listener{executor, {asio::ip::address_v4::loopback(), port}};
    std::cout << "listening on " << listener.local_endpoint() << std::endl;
    co_await (accept_clients(listener, tracker) || signals.async_wait(asio::use_awaitable));
    const auto report = co_await tracker.drain(trackd::system_clock().now() + std::chrono::seconds{5});
    std::cout << "delivered=" << report.delivered << " lost=" << report.lost << std::endl;
}

int main(int, char** argv) {
    asio::io_context context{1};
    asio::co_spawn(context, run(static_cast<unsigned short>(std::stoi(argv[1]))), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    context.run();
}
