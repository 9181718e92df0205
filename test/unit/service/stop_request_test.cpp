#include "service/stop_request.hpp"
#include "support/catch.hpp"
#include "support/run.hpp"

using namespace trackd::service;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace test = trackd::test;

namespace {

struct stop_fixture {
    asio::awaitable<bool> waited() {
        co_await stop.wait();
        co_return true;
    }

    asio::awaitable<bool> slept(trackd::clock::time_point end) {
        co_await stop.sleep_until(end);
        co_return true;
    }

    asio::io_context context;
    int hurries = 0;
    stop_request stop{context.get_executor(), [this] { ++hurries; }};
};

} // namespace

TEST_CASE_METHOD(
    stop_fixture, "the first signal begins the stop, the second one hurries it, once", "[stop]"
) {
    const auto wait = test::start(context, waited());
    context.poll();
    CHECK_FALSE(wait->ended());
    stop.by_signal("SIGTERM");
    test::run_until(context, [&] { return wait->ended(); });
    CHECK(stop.reason() == "SIGTERM");
    CHECK(hurries == 0);
    stop.by_signal("SIGINT");
    stop.by_signal("SIGINT");
    CHECK(hurries == 1);
    CHECK(stop.reason() == "SIGTERM");
    CHECK_FALSE(stop.part_failed());
}

TEST_CASE_METHOD(
    stop_fixture, "a failed part begins the stop, and only a second signal hurries it", "[stop]"
) {
    stop.by_failure("ingest listener");
    stop.by_failure("admin listener");
    CHECK(stop.reason() == "ingest listener");
    CHECK(stop.part_failed());
    CHECK(hurries == 0);
    stop.by_signal("SIGTERM");
    CHECK(hurries == 0);
    stop.by_signal("SIGTERM");
    CHECK(hurries == 1);
}

TEST_CASE_METHOD(stop_fixture, "a sleep ends when somebody is in a hurry", "[stop]") {
    stop.by_signal("SIGTERM");
    const auto sleep = test::start(context, slept(trackd::system_clock().now() + 1h));
    context.poll();
    CHECK_FALSE(sleep->ended());
    stop.by_signal("SIGTERM");
    test::run_until(context, [&] { return sleep->ended(); });
}
