#include "service/heartbeat.hpp"
#include "support/captured_log.hpp"
#include "support/catch.hpp"
#include "support/manual_clock.hpp"
#include "support/run.hpp"

#include <spdlog/sinks/base_sink.h>

#include <future>
#include <mutex>

using namespace trackd::service;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace test = trackd::test;

namespace {

struct heartbeat_fixture {
    heartbeat_fixture() { watched.add_loop("thread io-1", loop.get_executor()); }

    ~heartbeat_fixture() {
        watched.end();
        if (run) test::run_until(context, [this] { return run->ended(); });
    }

    void start() {
        run = test::start(context, beats_until_the_end());
        context.poll();
    }

    asio::awaitable<bool> beats_until_the_end() {
        co_await watched.run();
        co_return true;
    }

    // So many beats, between which the loop turns if it can.
    void pass(int beats, bool loop_turns = true) {
        for (int i = 0; i < beats; ++i) {
            if (loop_turns) turn();
            clock.advance(1s);
            context.restart();
            context.poll();
        }
    }

    void turn() {
        loop.restart();
        loop.poll();
    }

    asio::io_context context;
    asio::io_context loop;
    test::manual_clock clock;
    std::vector<trackd::resting_delivery> resting;
    int fed = 0;
    heartbeat watched{context.get_executor(), clock, 1s, [this] { return resting; }, [this] { ++fed; }};
    std::shared_ptr<test::outcome<bool>> run;
};

// A log that writes a line only once another thread has been told what ails.
class asking_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    explicit asking_sink(const heartbeat& watched) : watched_{watched} {}

    // What it was told before the last line.
    std::string answer() { return in_time_ ? told_.get() : "not before the line was written"; }

private:
    void sink_it_(const spdlog::details::log_msg& /*message*/) override {
        told_ = std::async(std::launch::async, [this] { return watched_.ailment(); });
        in_time_ = told_.wait_for(30s) == std::future_status::ready;
    }

    void flush_() override {}

    const heartbeat& watched_;
    std::future<std::string> told_;
    bool in_time_ = false;
};

} // namespace

TEST_CASE_METHOD(heartbeat_fixture, "where everything moves each beat is fed", "[heartbeat]") {
    start();
    pass(30);
    CHECK(fed == 31);
    CHECK(watched.ailment().empty());
}

TEST_CASE_METHOD(
    heartbeat_fixture, "a loop that does not turn ails after ten beats, and until it turns again",
    "[heartbeat]"
) {
    start();
    pass(9, false);
    CHECK(watched.ailment().empty());
    pass(1, false);
    CHECK(watched.ailment() == "thread io-1 stands still");
    CHECK(fed == 10);
    pass(5, false);
    CHECK(fed == 10);
    pass(1);
    CHECK(watched.ailment().empty());
    CHECK(fed == 11);
}

TEST_CASE_METHOD(
    heartbeat_fixture, "a delivery that rests on the same work for ten beats ails", "[heartbeat]"
) {
    resting = {{"main-db", 7}};
    start();
    pass(8);
    CHECK(watched.ailment().empty());
    pass(1);
    CHECK(
        watched.ailment() ==
        "the delivery to sink main-db stands still at position 7, though its sink is not busy"
    );
    resting.clear();
    pass(1);
    CHECK(watched.ailment().empty());
}

TEST_CASE_METHOD(
    heartbeat_fixture, "a delivery that is met resting again and again, but elsewhere, is fine", "[heartbeat]"
) {
    start();
    for (trackd::position at = 1; at < 40; ++at) {
        resting = {{"main-db", at}};
        pass(1);
    }
    CHECK(watched.ailment().empty());
    CHECK(fed == 40);
}

TEST_CASE_METHOD(
    heartbeat_fixture, "a main thread that stands still is told of by the clock", "[heartbeat]"
) {
    start();
    clock.advance(9s); // and the context is not polled
    CHECK(watched.ailment().empty());
    clock.advance(1s);
    CHECK(watched.ailment().empty()); // which may have been stopped, with all of the process
    clock.advance(999ms);
    CHECK(watched.ailment().empty());
    clock.advance(1ms);
    CHECK(watched.ailment() == "the main thread stands still");
    pass(1);
    CHECK(watched.ailment().empty());
}

TEST_CASE_METHOD(
    heartbeat_fixture, "who asks before the first beat after each of two long stops hears of no ailment",
    "[heartbeat]"
) {
    start();
    for (int stop = 0; stop < 2; ++stop) {
        clock.advance(1h);
        CHECK(watched.ailment().empty());
        pass(1);
    }
    CHECK(watched.ailment().empty());
}

TEST_CASE_METHOD(heartbeat_fixture, "who asks does not wait for the log", "[heartbeat]") {
    const test::captured_log restores_the_log;
    const auto log = std::make_shared<asking_sink>(watched);
    trackd::base::log().sinks() = {log};
    start();
    pass(10, false);
    CHECK(log->answer() == "thread io-1 stands still");
    pass(1);
    CHECK(log->answer().empty());
}

TEST_CASE_METHOD(
    heartbeat_fixture, "a process that was stopped for an hour has missed one beat of its loops",
    "[heartbeat]"
) {
    start();
    clock.advance(1h);
    context.restart();
    context.poll();
    CHECK(watched.ailment().empty());
    CHECK(fed == 2);
}

TEST_CASE_METHOD(heartbeat_fixture, "in a shutdown nothing ails, and each beat is fed", "[heartbeat]") {
    resting = {{"main-db", 7}};
    start();
    pass(20, false);
    CHECK_FALSE(watched.ailment().empty());
    const auto before = fed;
    watched.watch_no_more();
    CHECK(watched.ailment().empty());
    pass(20, false);
    CHECK(watched.ailment().empty());
    CHECK(fed == before + 20);
}
