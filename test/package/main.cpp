// Tracks an event into a sink of its own, and makes one of each kind that comes with a library.
#include <trackd/tracker.hpp>

#include <boost/asio.hpp>
#include <spdlog/logger.h>

#include <iostream>
#include <sinks/http.hpp>
#include <sinks/kafka.hpp>
#include <sinks/postgres.hpp>

namespace asio = boost::asio;

struct print_sink final : trackd::sink {
    trackd::write_result write(std::span<const trackd::event_view> events, std::stop_token) override {
        for (const auto& event : events)
            std::cout << event.id << std::endl;
        return {events.size(), 0};
    }
};

asio::awaitable<void> run() {
    std::vector<trackd::sink_spec> sinks(1);
    sinks[0].name = "print";
    sinks[0].sink = std::make_unique<print_sink>();
    trackd::tracker tracker{
        co_await asio::this_coro::executor, {}, trackd::make_memory_backlog(), std::move(sinks)
    };
    tracker.start();
    trackd::event_view event;
    event.id = "one";
    event.type = "test";
    trackd::batch events;
    events.append(event);
    const auto refused = co_await tracker.track(std::move(events));
    if (refused) throw std::runtime_error{refused.message()};
    const auto report = co_await tracker.drain(trackd::system_clock().now() + std::chrono::seconds{30});
    std::cout << "delivered " << report.delivered << std::endl;
}

int main() {
    spdlog::logger log{"uses_trackd"}; // which writes nowhere
    trackd::sinks::http_options url;
    url.url = "http://localhost/";
    trackd::sinks::make_http_sink(url, log)->open();
    trackd::sinks::kafka_options topic;
    topic.brokers = {"localhost:1"};
    topic.topic = "events";
    trackd::sinks::make_kafka_sink(topic, log)->open();
    trackd::sinks::postgres_options database;
    database.connection = "host=localhost port=1";
    trackd::sinks::make_postgres_sink(database, log)->open();

    asio::io_context context;
    asio::co_spawn(context, run(), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    context.run();
}
