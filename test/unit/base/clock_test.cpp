#include "support/catch.hpp"
#include "support/manual_clock.hpp"
#include "support/run.hpp"

#include <trackd/clock.hpp>

using namespace trackd;
using namespace std::chrono_literals;

TEST_CASE("a wakeup that nobody rings waits until its time has come", "[clock]") {
    boost::asio::io_context context;
    test::manual_clock clock;
    wakeup bell{context.get_executor(), clock};
    const auto rung = test::start(context, bell.wait(clock.now() + 10s));
    context.poll();
    clock.advance(9s);
    context.poll();
    CHECK_FALSE(rung->ended());
    clock.advance(1s);
    context.poll();
    REQUIRE(rung->ended());
    CHECK_FALSE(rung->get());
    CHECK(clock.waiting() == 0);
}

TEST_CASE("ringing a wakeup wakes the one who waits", "[clock]") {
    boost::asio::io_context context;
    test::manual_clock clock;
    wakeup bell{context.get_executor(), clock};
    const auto rung = test::start(context, bell.wait());
    context.poll();
    bell.ring();
    context.poll();
    REQUIRE(rung->ended());
    CHECK(rung->get());
}

TEST_CASE("a ring that comes before the wait is not missed, and counts once", "[clock]") {
    boost::asio::io_context context;
    test::manual_clock clock;
    wakeup bell{context.get_executor(), clock};
    bell.ring();
    CHECK(test::run(context, bell.wait()));
    const auto second = test::start(context, bell.wait());
    context.restart();
    context.poll();
    CHECK_FALSE(second->ended());
    bell.ring();
    context.restart();
    context.poll();
    CHECK(second->ended());
}

TEST_CASE("waiting for a time that is past returns at once", "[clock]") {
    boost::asio::io_context context;
    wakeup bell{context.get_executor(), system_clock()};
    CHECK_FALSE(test::run(context, bell.wait(system_clock().now())));
}

TEST_CASE("the machine's clock wakes who waits, by itself", "[clock]") {
    boost::asio::io_context context;
    wakeup bell{context.get_executor(), system_clock()};
    const auto until = system_clock().now() + 2ms;
    CHECK_FALSE(test::run(context, bell.wait(until)));
    CHECK(system_clock().now() >= until);
}
